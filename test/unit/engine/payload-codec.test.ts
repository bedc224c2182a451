import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defaultPayloadConverter, type Payload } from '@temporalio/common';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AesGcmCodec, dataConverterFrom, WITHOUT_KEY } from '../../../src/engine/codec/payload-codec.js';

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

describe('a key that was replaced', () => {
  const [former, present] = [randomBytes(32), randomBytes(32)];

  it('still decrypts what it encrypted, and encrypts nothing any more', async () => {
    const old = await new AesGcmCodec(former).encode([payload('old')]);
    const list = [present, former].map((each) => each.toString('base64')).join(',');
    const both = (await dataConverterFrom({ KUBEWRIGHT_PAYLOAD_KEY: list }))?.payloadCodecs?.at(-1);
    expect(((await both?.decode(old)) ?? []).map(valueIn)).toEqual(['old']);
    const fresh = (await both?.encode([payload('new')])) ?? [];
    expect((await new AesGcmCodec(present).decode(fresh)).map(valueIn)).toEqual(['new']);
    await expect(new AesGcmCodec(former).decode(fresh)).rejects.toMatchObject({ code: 'KW512' });
  });

  it('is named by its place when it is none', async () => {
    const list = `${present.toString('base64')}, c2hvcnQ=`;
    await expect(dataConverterFrom({ KUBEWRIGHT_PAYLOAD_KEY: list })).rejects.toMatchObject({
      code: 'KW511',
      message: 'The payload key number 2 has 5 bytes, not 32',
    });
  });
});

describe('without a key', () => {
  const none = WITHOUT_KEY.payloadCodecs?.at(-1);

  it('what is in clear passes, and what is encrypted is said to be so, with its key', async () => {
    const clear = [payload('x')];
    expect(await none?.encode(clear)).toEqual(clear);
    expect(await none?.decode(clear)).toEqual(clear);
    const encrypted = await codec.encode(clear);
    await expect(none?.decode(encrypted)).rejects.toMatchObject({
      code: 'KW512',
      message: expect.stringMatching(/encrypted with key [0-9a-f]{12}, and no payload key is set here/),
      hint: expect.stringContaining('KUBEWRIGHT_PAYLOAD_KEY'),
    });
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
      const [decoded] = (await (await dataConverterFrom(env))?.payloadCodecs?.at(-1)?.decode(encoded)) ?? [];
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
