import { generateKeyPairSync } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Secrets } from '../../lab/canary/secrets.js';

/** The search of test/lab/canary.test.ts finds nothing in an install. Here is what it finds when there is something. */
let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'kubewright-search-'));
  await mkdir(join(directory, 'searched'));
});
afterEach(() => rm(directory, { recursive: true }));

const PASSWORD = "Tr0ub4dor&3 'and' a half";

async function namesIn(secrets: Secrets, content: string | Buffer): Promise<string[]> {
  await writeFile(join(directory, 'searched', 'file'), content);
  const found = await secrets.search([join(directory, 'searched')], join(directory, 'patterns'));
  return [...new Set(found.map(({ name }) => name))];
}

describe('the search for planted secrets', () => {
  const secrets = (): Secrets => new Secrets().add('password', PASSWORD).addControl('control', 'ordinary');

  it.each([
    ['as it is', `x${PASSWORD}y`],
    ['cut off behind its first half', PASSWORD.slice(0, 12)],
    ['torn apart by a page of a database', `${PASSWORD.slice(0, 5)}\0\x01${PASSWORD.slice(5)}`],
    ['between bytes that are no text', Buffer.concat([Buffer.from([0, 255, 254]), Buffer.from(PASSWORD)])],
    ['in hexadecimal digits', Buffer.from(PASSWORD).toString('hex')],
    ['in base64 with other text before it', Buffer.from(`{"a":"${PASSWORD}"}`).toString('base64')],
    ['in base64 at another alignment', Buffer.from(`xx${PASSWORD}`).toString('base64')],
    ['in base64 of its first half', Buffer.from(`x${PASSWORD.slice(0, 12)}…`).toString('base64')],
  ])('finds one %s', async (_how, content) => {
    expect(await namesIn(secrets(), content)).toEqual(['password']);
  });

  it('finds one in a file that is named by itself, and says in which', async () => {
    const file = join(directory, 'alone');
    await writeFile(file, PASSWORD);
    expect(await secrets().search([file], join(directory, 'patterns'))).toEqual([
      { file, name: 'password', form: 'whole' },
    ]);
  });

  it('finds nothing where nothing is, and an ordinary word where that is', async () => {
    expect(await namesIn(secrets(), 'Tr0ub4dor, half')).toEqual([]);
    expect(await namesIn(secrets(), 'an ordinary line')).toEqual(['control']);
  });

  it('finds a private key by what only the key has: never by its certificate', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const pem = privateKey.export({ type: 'pkcs1', format: 'pem' }).toString();
    const key = (): Secrets => new Secrets().addPem('ca.key', pem);
    expect(await namesIn(key(), pem)).toEqual(['ca.key']);
    // As client-key-data of a kubeconfig, as escaped JSON, and as hexadecimal digits of its bytes.
    expect(await namesIn(key(), Buffer.from(pem).toString('base64'))).toEqual(['ca.key']);
    expect(await namesIn(key(), JSON.stringify(pem))).toEqual(['ca.key']);
    expect(await namesIn(key(), privateKey.export({ type: 'pkcs1', format: 'der' }).toString('hex'))).toEqual([
      'ca.key',
    ]);
    for (const type of ['pkcs1', 'spki'] as const) {
      const shown = publicKey.export({ type, format: 'pem' }).toString();
      expect(await namesIn(key(), `${shown}${Buffer.from(shown).toString('base64')}`)).toEqual([]);
    }
  });

  it('finds a kubelet’s key, which stands behind its certificate in one file', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const pem = privateKey.export({ type: 'sec1', format: 'pem' }).toString();
    const shown = publicKey.export({ type: 'spki', format: 'pem' }).toString();
    const key = (): Secrets => new Secrets().addPem('kubelet', `${shown}${pem}`);
    expect(await namesIn(key(), shown)).toEqual([]);
    expect(await namesIn(key(), pem)).toEqual(['kubelet']);
    // Another container of the same number.
    expect(
      await namesIn(key(), privateKey.export({ type: 'pkcs8', format: 'pem' }).toString().replaceAll('\n', '')),
    ).toEqual(['kubelet']);
  });

  it('finds an SSH key by what only the key has: never by its public half', async () => {
    const file = join(directory, 'id');
    await execa('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'someone@somewhere', '-f', file]);
    const pem = await readFile(file, 'utf8');
    const key = (): Secrets => new Secrets().addPem('ssh', pem);
    expect(await namesIn(key(), pem)).toEqual(['ssh']);
    expect(await namesIn(key(), Buffer.from(pem).toString('base64'))).toEqual(['ssh']);
    expect(await namesIn(key(), await readFile(`${file}.pub`))).toEqual([]);
  });

  it('does not take what it cannot read for clean', async () => {
    await expect(secrets().search([join(directory, 'nowhere')], join(directory, 'patterns'))).rejects.toThrow(
      /no such file/,
    );
  });
});
