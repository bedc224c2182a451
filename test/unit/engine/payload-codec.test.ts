import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defaultPayloadConverter, type Payload } from '@temporalio/common';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AesGcmCodec, dataConverterFrom } from '../../../src/engine/codec/payload-codec.js';

const key = randomBytes(32);
const codec = new AesGcmCodec(key);
const payload = (value: unknown): Payload => defaultPayloadConverter.toPayload(value) as Payload;
const valueIn = (from: Payload | undefined): unknown => defaultPayloadConverter.fromPayload(from as Payload);

describe('the payload codec', () => {
  it('gives back what it encrypted, and shows none of it', async () => {
    const secret = { user: 'anna', token: 'abcdef.0123456789abcdef' };
    const encoded = await codec.encode([payload(secret), payload('')]);
    expect(Buffer.from(encoded[0]?.data ?? []).includes('anna')).toBe(false);
    const decoded = await codec.decode(encoded);
    expect(decoded.map(valueIn)).toEqual([secret, '']);
  });

  it('never makes the same of the same', async () => {
    const [one, two] = await codec.encode([payload('same'), payload('same')]);
    expect(Buffer.from(one?.data ?? []).equals(Buffer.from(two?.data ?? []))).toBe(false);
  });

  it('passes what somebody typed into the UI', async () => {
    expect(valueIn((await codec.decode([payload({ step: 'cp-2/join' })]))[0])).toEqual({ step: 'cp-2/join' });
  });

  it('refuses another key and changed bytes, naming the key', async () => {
    const [encoded] = await codec.encode([payload('x')]);
    const other = new AesGcmCodec(randomBytes(32));
    const refusal = {
      code: 'KW512',
      message: expect.stringMatching(/encrypted with key [0-9a-f]{12}, ours is [0-9a-f]{12}$/),
    };
    await expect(other.decode([encoded as Payload])).rejects.toMatchObject(refusal);
    const bytes = Buffer.from(encoded?.data ?? []);
    bytes[20] = (bytes[20] ?? 0) ^ 1;
    await expect(codec.decode([{ ...encoded, data: bytes } as Payload])).rejects.toMatchObject({ code: 'KW512' });
  });
});

describe('the payload key', () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'kubewright-key-'));
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));

  it('is optional, and comes from the environment or a file', async () => {
    expect(await dataConverterFrom({})).toBeUndefined();
    const file = join(directory, 'key');
    await writeFile(file, `${key.toString('base64')}\n`);
    const encoded = await codec.encode([payload('x')]);
    for (const env of [{ KUBEWRIGHT_PAYLOAD_KEY: key.toString('base64') }, { KUBEWRIGHT_PAYLOAD_KEY_FILE: file }]) {
      const [decoded] = (await (await dataConverterFrom(env))?.payloadCodecs?.[0]?.decode(encoded)) ?? [];
      expect(valueIn(decoded)).toBe('x');
    }
  });

  it.each([
    ['too short', { KUBEWRIGHT_PAYLOAD_KEY: 'c2hvcnQ=' }],
    ['not there', { KUBEWRIGHT_PAYLOAD_KEY_FILE: '/nowhere/key' }],
  ])('is refused when it is %s', async (_name, env) => {
    await expect(dataConverterFrom(env)).rejects.toMatchObject({ code: 'KW511', hint: expect.any(String) });
  });
});
