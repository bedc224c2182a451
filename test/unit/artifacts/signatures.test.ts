import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { ensureBundle } from '../../../src/artifacts/bundle.js';
import { dearmor, verifyDetached } from '../../../src/artifacts/official/gpg.js';
import { resolveOrigins } from '../../../src/artifacts/official/origins.js';
import { file, readBundle } from '../../../src/bundle/bundle.js';
import { OriginServer, sha256 } from './origin-server.js';
import { publishEverything } from './published.js';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const pinned = join(root, 'src/artifacts/official/keys/runc.keyring');
const manifest = await readFile(fileURLToPath(new URL('./kube-flannel.yml.golden', import.meta.url)));
const RUNC = '/github.com/opencontainers/runc/releases/download/v1.5.2/runc.amd64';
let home: string;

const hasGpg = !(await execa('gpg', ['--version'], { reject: false })).failed;
if (!hasGpg) console.log('not run here: OpenPGP signatures need gpg to make them');

/** A keyring of two people, as projects have it: blocks of armor, with words of a person between them. */
beforeAll(async () => {
  if (!hasGpg) return;
  // Short: the agent's socket lies in it.
  home = await mkdtemp(join(tmpdir(), 'kw-gpg-'));
  await mkdir(join(home, 'keys'));
  for (const name of ['one', 'two', 'revoked', 'stranger'])
    await gpg('--quick-gen-key', `${name} <${name}@example.com>`, 'ed25519', 'sign');
  const keys = await Promise.all(['one', 'two'].map((name) => gpg('--armor', '--export', name)));
  await copyFile(
    join(root, 'src/artifacts/official/keys/sigstore-trusted-root.json'),
    join(home, 'keys/sigstore-trusted-root.json'),
  );
  await writeFile(join(home, 'keys/runc.keyring'), keys.map((key) => `pub   ed25519\n\n${key}\n\n`).join(''));
});
afterAll(async () => {
  if (!hasGpg) return;
  await execa('gpgconf', ['--homedir', home, '--kill', 'all'], { reject: false });
  await rm(home, { recursive: true, force: true });
});

async function gpg(...args: string[]): Promise<string> {
  return (await execa('gpg', ['--homedir', home, '--batch', '--yes', '--passphrase', '', ...args])).stdout;
}

async function sign(content: Buffer, who: string): Promise<Buffer> {
  const path = join(home, 'content');
  await writeFile(path, content);
  await gpg('--local-user', who, '--armor', '--output', `${path}.asc`, '--detach-sign', path);
  return readFile(`${path}.asc`);
}

async function fingerprintOf(who: string): Promise<string> {
  return /^fpr:+([0-9A-F]{40}):/m.exec(await gpg('--with-colons', '--list-keys', who))?.[1] ?? '';
}

describe.runIf(hasGpg)('an OpenPGP signature', () => {
  let scratch: string;
  beforeEach(async () => {
    scratch = await mkdtemp(join(tmpdir(), 'kw-sig-'));
  });
  afterEach(async () => {
    vi.unstubAllEnvs();
    await rm(scratch, { recursive: true, force: true });
  });
  const verify = async (content: string, signature: Buffer, keyring = join(home, 'keys/runc.keyring')) => {
    const path = join(scratch, 'signed');
    await writeFile(path, content);
    return verifyDetached({ file: path, signature, keyring, scratch });
  };

  it.each(['one', 'two'])('holds by any key of the keyring: %s', async (who) => {
    const signature = await sign(Buffer.from('runc'), who);
    expect(await verify('runc', signature)).toEqual({
      state: 'good',
      fingerprint: await fingerprintOf(who),
      expired: false,
    });
  });

  it('does not hold of another content, by another key, or when it is none', async () => {
    const good = await sign(Buffer.from('runc'), 'one');
    expect(await verify('runk', good)).toEqual({ state: 'bad', why: 'it is of another content' });
    const foreign = await sign(Buffer.from('runc'), 'stranger');
    expect(await verify('runc', foreign)).toMatchObject({
      state: 'bad',
      why: expect.stringContaining('not among the known'),
    });
    expect(await verify('runc', Buffer.from('nothing'))).toMatchObject({ state: 'bad' });
    expect(await verify('runc', good, pinned)).toMatchObject({ state: 'bad' });
  });

  it('holds by a key that has run out since', async () => {
    const signature = await sign(Buffer.from('runc'), 'two');
    const keyring = join(scratch, 'keyring');
    const exported = async () => writeFile(keyring, await gpg('--armor', '--export', 'two'));
    await gpg('--quick-set-expire', await fingerprintOf('two'), 'seconds=1');
    await exported();
    await vi.waitFor(async () => expect(await verify('runc', signature, keyring)).toMatchObject({ expired: true }), {
      timeout: 10_000,
    });
    expect(await verify('runc', signature, keyring)).toMatchObject({ state: 'good' });
  });

  it('does not hold by a key that was revoked', async () => {
    const signature = await sign(Buffer.from('runc'), 'revoked');
    const keyring = join(scratch, 'keyring');
    const certificate = join(home, 'openpgp-revocs.d', `${await fingerprintOf('revoked')}.rev`);
    // GnuPG puts a colon before the armor, against being imported by mistake.
    await writeFile(join(scratch, 'rev'), (await readFile(certificate, 'utf8')).replace(':-----BEGIN', '-----BEGIN'));
    await gpg('--import', join(scratch, 'rev'));
    await writeFile(keyring, await gpg('--armor', '--export', 'revoked'));
    expect(await verify('runc', signature, keyring)).toEqual({ state: 'bad', why: 'its key was revoked' });
  });

  it('is not verified where gpgv is missing', async () => {
    const signature = await sign(Buffer.from('runc'), 'one');
    vi.stubEnv('PATH', '/nowhere');
    expect(await verify('runc', signature)).toEqual({ state: 'no-gpgv' });
  });

  it("is asked of runc's own keyring, which holds its maintainers' keys", async () => {
    await writeFile(join(scratch, 'keys'), dearmor(await readFile(pinned, 'latin1')));
    const { stdout } = await execa('gpg', [
      '--homedir',
      scratch,
      '--with-colons',
      '--show-keys',
      join(scratch, 'keys'),
    ]);
    const primary = [...stdout.matchAll(/^pub:.*\n(?:fpr:+)([0-9A-F]{40}):/gm)].map(([, key]) => key);
    // MAINTAINERS of runc: Aleksa Sarai, Kir Kolyshkin, Akihiro Suda.
    expect(primary).toEqual([
      'C9C370B246B09F6DBCFC744C34401015D1D2D386',
      'C2428CD75720FACDCF76B6EA17DE5ECB75A1100E',
      'C020EA876CE4E06C7AB95AEF49524C6F9F638F1A',
    ]);
  });
});

describe.runIf(hasGpg)('a bundle of published releases', () => {
  let server: OriginServer;
  let cache: string;
  beforeEach(async () => {
    cache = await mkdtemp(join(tmpdir(), 'kubewright-signed-'));
    vi.stubEnv('KUBEWRIGHT_CACHE', cache);
    server = new OriginServer();
    await server.start();
    await publishEverything(server, manifest);
  });
  afterEach(async () => {
    vi.unstubAllEnvs();
    await server.stop();
    await rm(cache, { recursive: true, force: true });
  });
  const create = async () => {
    const origins = resolveOrigins([server.url], {});
    const keys = join(home, 'keys');
    return readBundle(
      await ensureBundle({ version: '1.34.3', arch: 'amd64', from: 'official', loadBalancer: false, origins, keys }),
    );
  };

  it('records who signed, who does not sign, and what was not checked', async () => {
    server.files.set(`${RUNC}.asc`, await sign(server.files.get(RUNC) ?? Buffer.alloc(0), 'one'));
    const bundle = await create();
    expect(file(bundle, 'bin/runc').vouched?.signature).toEqual({
      state: 'verified',
      detail: `OpenPGP key ${await fingerprintOf('one')}`,
    });
    expect(file(bundle, 'bin/etcdctl').vouched?.signature?.state).toBe('none');
    expect(file(bundle, 'bin/kubelet').vouched?.signature?.state).toBe('unchecked');
    for (const { path, vouched } of bundle.files.filter(({ path }) => path !== 'cni/flannel')) {
      expect(vouched?.signature, path).toBeDefined();
    }
    for (const { names, vouched } of bundle.images) expect(vouched?.signature, names[0]).toBeDefined();
  });

  it('is not made where checksum and program were changed together, but not the signature', async () => {
    server.files.set(`${RUNC}.asc`, await sign(server.files.get(RUNC) ?? Buffer.alloc(0), 'one'));
    const changed = Buffer.from('#!/bin/sh\necho evil\n');
    server.files.set(RUNC, changed);
    server.files.set(`${RUNC.replace('.amd64', '.sha256sum')}`, Buffer.from(`${sha256(changed)} *runc.amd64\n`));
    await expect(create()).rejects.toMatchObject({
      code: 'KW738',
      message: expect.stringContaining('another content'),
    });
    expect((await readdir(join(cache, 'bundles'))).filter((name) => /^\d/.test(name))).toEqual([]);
  });

  it('is made where a mirror does not carry the signature, and says so', async () => {
    const { vouched } = file(await create(), 'bin/runc');
    expect(vouched?.signature).toEqual({ state: 'unchecked', detail: `there is none at ${server.url}${RUNC}.asc` });
  });
});
