import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ensureBundle } from '../../../src/artifacts/bundle.js';
import { download } from '../../../src/artifacts/official/download.js';
import { resolveOrigins } from '../../../src/artifacts/official/origins.js';
import { readBundle, verifyBundle } from '../../../src/bundle/bundle.js';
import { OriginServer, sha256 } from './origin-server.js';
import { publishEverything } from './published.js';

const loader = fileURLToPath(new URL('../../workflow/typescript-loader.mjs', import.meta.url));
const script = fileURLToPath(new URL('./create-child.ts', import.meta.url));
const manifest = await readFile(fileURLToPath(new URL('./kube-flannel.yml.golden', import.meta.url)));
const KUBELET = '/dl.k8s.io/release/v1.34.3/bin/linux/amd64/kubelet';
const HELD = 900_000;
let server: OriginServer;
let cache: string;
let child: ChildProcess | undefined;

beforeEach(async () => {
  cache = await mkdtemp(join(tmpdir(), 'kubewright-resume-'));
  vi.stubEnv('KUBEWRIGHT_CACHE', cache);
  server = new OriginServer();
  await server.start();
  await publishEverything(server, manifest);
});

afterEach(async () => {
  child?.kill('SIGKILL');
  vi.unstubAllEnvs();
  await server.stop();
  await rm(cache, { recursive: true, force: true });
});

const downloads = () => join(cache, 'downloads');
const create = (mirror = server) =>
  ensureBundle({
    version: '1.34.3',
    arch: 'amd64',
    from: 'official',
    loadBalancer: false,
    origins: resolveOrigins([mirror.url], {}),
  });
const gets = (path: string) => server.requestsFor(path).filter(({ method }) => method === 'GET');

/** A layer large enough to stop in the middle of, with what it is called in the store. */
function largeLayer(): { path: string; sum: string } {
  const path = [...server.files].find(([name, { length }]) => name.includes('/kube-scheduler/blobs/') && length > HELD);
  return { path: path?.[0] ?? '', sum: path?.[0].slice(-64) ?? '' };
}

/** Starts a create whose large layer stops in the middle, and ends it there. */
async function interrupt(signal: 'SIGKILL' | 'SIGINT'): Promise<string> {
  const { path, sum } = largeLayer();
  let held = false;
  server.intervene(path, (_, response, body) => {
    if (held) return false;
    held = true;
    response.writeHead(200, { 'content-length': body.length });
    response.write(body.subarray(0, HELD));
    return true;
  });
  const running = spawn(process.execPath, ['--import', loader, script, server.url], {
    env: { ...process.env, KUBEWRIGHT_CACHE: cache },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  child = running;
  let stdout = '';
  running.stdout.on('data', (chunk) => {
    stdout += chunk;
  });
  const part = join(downloads(), `${sum}.part`);
  await vi.waitFor(async () => expect((await stat(part)).size).toBe(HELD), { timeout: 60_000 });
  running.kill(signal);
  await once(running, 'exit');
  return stdout;
}

describe('a bundle whose making was interrupted', () => {
  it.each(['SIGKILL', 'SIGINT'] as const)(
    'goes on where it was after %s, and then keeps no downloads',
    async (signal) => {
      expect(await interrupt(signal)).toBe(signal === 'SIGINT' ? 'KW703\n' : '');
      expect(gets(KUBELET)).toHaveLength(1);
      await verifyBundle(await readBundle(await create()));
      expect(gets(KUBELET)).toHaveLength(1);
      const ranges = gets(largeLayer().path).map(({ headers }) => headers.range);
      expect(ranges).toEqual([undefined, `bytes=${HELD}-`]);
      expect(await readdir(downloads())).toEqual(['CACHEDIR.TAG']);
    },
    90_000,
  );

  it('goes on from another mirror', async () => {
    await interrupt('SIGINT');
    const other = new OriginServer();
    await other.start();
    for (const [path, bytes] of server.files) other.files.set(path, bytes);
    for (const [path, type] of server.types) other.types.set(path, type);
    await verifyBundle(await readBundle(await create(other)));
    expect(other.requestsFor(largeLayer().path).map(({ headers }) => headers.range)).toEqual([`bytes=${HELD}-`]);
    await other.stop();
  }, 90_000);

  it('throws away what is kept and does not match', async () => {
    const kubelet = sha256(server.files.get(KUBELET) ?? '');
    await mkdir(downloads(), { recursive: true });
    // What a power failure leaves: the right length, and nothing in it.
    await writeFile(join(downloads(), kubelet), Buffer.alloc(server.files.get(KUBELET)?.length ?? 0));
    await writeFile(join(downloads(), `${largeLayer().sum}.part`), Buffer.alloc(HELD));
    await verifyBundle(await readBundle(await create()));
    expect(await readdir(downloads())).toEqual(['CACHEDIR.TAG']);
  });

  it('forgets after two weeks what nobody came back for, and nothing that is newer', async () => {
    await mkdir(downloads(), { recursive: true });
    const [old, young] = ['a'.repeat(64), 'b'.repeat(64)];
    for (const name of [old, `${old}.part`, `${young}.part`]) await writeFile(join(downloads(), name), 'x');
    const past = Date.now() / 1000 - 15 * 24 * 3600;
    for (const name of [old, `${old}.part`]) await utimes(join(downloads(), name), past, past);
    await create();
    expect((await readdir(downloads())).sort()).toEqual(['CACHEDIR.TAG', `${young}.part`]);
  });
});

describe('a disk that fills up during a download', () => {
  const body = Buffer.alloc(2_000_000, 'kubewright');
  const get = (folder: string) => download(`${server.url}/file`, join(folder, 'file'), sha256(body), { backoff: 1 });

  it.runIf(process.platform === 'linux')('is told at once, with the disk, and asked for nothing again', async () => {
    server.files.set('/file', body);
    await symlink('/dev/full', join(cache, 'file.part'));
    await expect(get(cache)).rejects.toMatchObject({
      code: 'KW707',
      message: expect.stringMatching(/^The disk is full: \S+, mounted at \/\S*\. Stopped at http:\S+\/file, byte 0\.$/),
      hint: expect.stringContaining('goes on from where it was'),
    });
    expect(server.requestsFor('/file')).toHaveLength(1);
  });

  const canMount = process.platform === 'linux' && process.getuid?.() === 0;
  if (!canMount) console.log('not run here: going on after a disk was full needs root to mount a small one');
  it.runIf(canMount)('goes on from where it was when there is room again', async () => {
    server.files.set('/file', body);
    const disk = join(cache, 'disk');
    await mkdir(disk);
    await execa('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'small', disk]);
    try {
      await expect(get(disk)).rejects.toMatchObject({
        code: 'KW707',
        message: expect.stringContaining(`The disk is full: small, mounted at ${disk}. Stopped at ${server.url}/file`),
      });
      const kept = (await stat(join(disk, 'file.part'))).size;
      expect(kept).toBeGreaterThan(500_000);
      await execa('mount', ['-o', 'remount,size=8m', disk]);
      await get(disk);
      expect(sha256(await readFile(join(disk, 'file')))).toBe(sha256(body));
      expect(server.requestsFor('/file').map(({ headers }) => headers.range)).toEqual([undefined, `bytes=${kept}-`]);
    } finally {
      await execa('umount', [disk]);
    }
  });
});
