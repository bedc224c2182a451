import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  artifactPath,
  cacheDirectory,
  cleanCache,
  ensureArtifact,
  findArtifact,
  requireFreeSpace,
  withScratch,
} from '../../../src/artifacts/cache/cache.js';

const key = { kind: 'things', version: '1.0.0', recipe: 'aaaaaaaaaaaa' };
let cache: string;
let builder: ChildProcess | undefined;

beforeEach(async () => {
  cache = await mkdtemp(join(tmpdir(), 'kubewright-cache-'));
  vi.stubEnv('KUBEWRIGHT_CACHE', cache);
});

afterEach(async () => {
  builder?.kill('SIGKILL');
  vi.unstubAllEnvs();
  await rm(cache, { recursive: true, force: true });
});

const writes = (content: string) => async (directory: string) => writeFile(join(directory, 'thing'), content);
const visible = async (folder: string) => (await readdir(folder)).filter((name) => name !== 'CACHEDIR.TAG').sort();

describe('where the cache is', () => {
  it('is the variable, the XDG directory or the home, in this order', () => {
    expect(cacheDirectory({ KUBEWRIGHT_CACHE: '/a', XDG_CACHE_HOME: '/b' })).toBe('/a');
    expect(cacheDirectory({ XDG_CACHE_HOME: '/b' })).toBe('/b/kubewright');
    expect(cacheDirectory({ XDG_CACHE_HOME: 'relative' })).toMatch(/\/\.cache\/kubewright$/);
    expect(cacheDirectory({})).toMatch(/\/\.cache\/kubewright$/);
  });
});

describe('ensureArtifact', () => {
  it('builds once and then finds what it built', async () => {
    const build = vi.fn(writes('content'));
    const first = await ensureArtifact(key, build);
    const second = await ensureArtifact(key, build);
    expect(build).toHaveBeenCalledTimes(1);
    expect(second).toBe(first);
    expect(await readFile(join(first, 'thing'), 'utf8')).toBe('content');
    expect(await visible(join(cache, 'things'))).toEqual(['1.0.0-aaaaaaaaaaaa']);
  });

  it('takes another recipe for another artifact', async () => {
    await ensureArtifact(key, writes('old'));
    const other = await ensureArtifact({ ...key, recipe: 'bbbbbbbbbbbb' }, writes('new'));
    expect(await readFile(join(other, 'thing'), 'utf8')).toBe('new');
    expect(await findArtifact(key)).toBeDefined();
  });

  it('removes what an older recipe made, a day later', async () => {
    const old = await ensureArtifact(key, writes('old'));
    const yesterday = new Date(Date.now() - 25 * 3600 * 1000);
    await utimes(old, yesterday, yesterday);
    const otherVersion = await ensureArtifact({ ...key, version: '1.0.0-rc' }, writes('other'));
    await utimes(otherVersion, yesterday, yesterday);
    await ensureArtifact({ ...key, recipe: 'bbbbbbbbbbbb' }, writes('new'));
    expect(await visible(join(cache, 'things'))).toEqual(['1.0.0-bbbbbbbbbbbb', '1.0.0-rc-aaaaaaaaaaaa']);
  });

  it('leaves nothing of a build that fails', async () => {
    const failing = ensureArtifact(key, async (directory) => {
      await writeFile(join(directory, 'half'), '');
      throw new Error('the compiler is on strike');
    });
    await expect(failing).rejects.toThrow('the compiler is on strike');
    expect(await findArtifact(key)).toBeUndefined();
    expect(await visible(join(cache, 'things'))).toEqual([]);
  });

  it('lets one builder build and the other wait for it', async () => {
    let release = (): void => {};
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const lines: string[] = [];
    const slow = ensureArtifact(key, async (directory) => {
      await gate;
      await writes('by the first')(directory);
    });
    await vi.waitFor(() => expect(existsSync(`${artifactPath(key)}.lock`)).toBe(true));
    const second = vi.fn(writes('by the second'));
    const waiting = ensureArtifact(key, second, (line) => lines.push(line));
    await vi.waitFor(() => expect(lines).toEqual(['waiting for another process that builds 1.0.0-aaaaaaaaaaaa']));
    release();
    expect(await waiting).toBe(await slow);
    expect(second).not.toHaveBeenCalled();
  });

  it('does not take the work of a killed builder for an artifact, and clears it away', async () => {
    const loader = fileURLToPath(new URL('../../workflow/typescript-loader.mjs', import.meta.url));
    const child = fileURLToPath(new URL('./builder-child.ts', import.meta.url));
    const spawned = spawn(process.execPath, ['--import', loader, child], { stdio: ['ignore', 'pipe', 'inherit'] });
    builder = spawned;
    await once(spawned.stdout, 'data');
    spawned.kill('SIGKILL');
    await once(spawned, 'exit');
    const folder = join(cache, 'things');
    const left = await visible(folder);
    expect(left.filter((name) => name.endsWith('.partial'))).toHaveLength(1);
    expect(await findArtifact(key)).toBeUndefined();

    // The dead builder's lock counts for ten seconds; they have passed.
    const past = new Date(Date.now() - 11_000);
    await utimes(`${artifactPath(key)}.lock`, past, past);
    const path = await ensureArtifact(key, writes('whole'));
    expect(await visible(path)).toEqual(['thing']);
    expect(await visible(folder)).toEqual(['1.0.0-aaaaaaaaaaaa']);
  }, 90_000);

  it('leaves alone what a living process is still building', async () => {
    let mine = '';
    await ensureArtifact({ ...key, version: '2.0.0' }, async (directory) => {
      await ensureArtifact(key, writes('beside it'));
      mine = existsSync(directory) ? 'still there' : 'swept away';
    });
    expect(mine).toBe('still there');
  });
});

describe('scratch space', () => {
  it('is thrown away after use and after failure', async () => {
    await withScratch('go', async (directory) => writeFile(join(directory, 'object'), ''));
    const failing = withScratch('go', async (directory) => {
      await mkdir(join(directory, 'deep'));
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    expect(await visible(join(cache, 'scratch'))).toEqual([]);
  });

  it('asks for free space before, with what there is and what to do', async () => {
    const error = requireFreeSpace(cache, 1e9, 'a moon');
    await expect(error).rejects.toMatchObject({ code: 'KW701' });
    await expect(error).rejects.toThrow(/a moon needs 1000000000 GB .* has [\d.]+ GB/);
    await requireFreeSpace(cache, 0, 'nothing');
  });
});

describe('cleanCache', () => {
  it('removes every artifact and nothing that is not its own', async () => {
    await ensureArtifact(key, writes('content'));
    await mkdir(join(cache, 'photographs'));
    await writeFile(join(cache, 'letter.txt'), 'dear');
    await cleanCache();
    expect(await visible(cache)).toEqual(['letter.txt', 'photographs']);
  });

  it('removes the cache itself when nothing else is in it', async () => {
    await ensureArtifact(key, writes('content'));
    await cleanCache();
    expect(existsSync(cache)).toBe(false);
  });
});

it('says so when the cache cannot be written', async () => {
  await writeFile(join(cache, 'things'), 'a file in the way');
  await expect(ensureArtifact(key, writes('content'))).rejects.toMatchObject({ code: 'KW702' });
});
