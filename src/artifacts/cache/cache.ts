import { copyFile, mkdir, open, readdir, readFile, rename, rm, rmdir, stat, statfs, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import pLimit from 'p-limit';
import { lock } from 'proper-lockfile';
import { cacheDirectory } from '../../bundle/cache-directory.js';
import { KubewrightError, messageOf } from '../../errors.js';
import { partialName, sweepOrphans } from './owner.js';

export { cacheDirectory };

const TAG_FILE = 'CACHEDIR.TAG';
const TAG = 'Signature: 8a477f597d28d172789f06886806bc55\n# Made by kubewright; `kubewright lab clean` removes it.\n';

/** Says one short line to whoever waits. */
export type Log = (line: string) => void;

/** What an artifact is called in the cache: `KIND/VERSION-RECIPE`. */
export interface ArtifactKey {
  /** Folder in the cache, such as `bundles`, `temporal` or `base-image`. */
  kind: string;
  /** Version and whatever else a reader should see, such as `1.34.3-amd64-modules`. */
  version: string;
  /** Short hash of everything that decides the content (see `recipeHash`): another recipe is another artifact. */
  recipe: string;
}

/** Where a key's artifact lies, or would lie. */
export function artifactPath(key: ArtifactKey): string {
  return join(cacheDirectory(), key.kind, `${key.version}-${key.recipe}`);
}

/** The artifact's directory when it is there. A directory under its final name is always whole. */
export async function findArtifact(key: ArtifactKey): Promise<string | undefined> {
  const path = artifactPath(key);
  const found = await stat(path).catch(() => undefined);
  return found?.isDirectory() ? path : undefined;
}

/**
 * Returns the artifact's directory, building it when it is missing. `build` fills an empty directory beside the target;
 * only when it has returned and everything is on the disk is the directory renamed to its final name. So a build that
 * is interrupted, by whatever, leaves nothing that counts as whole, and the next one removes what it left. One builder
 * at a time: a second one waits for the first and takes its result.
 *
 * @throws whatever `build` throws; KW702 when the cache cannot be written
 */
export async function ensureArtifact(
  key: ArtifactKey,
  build: (directory: string) => Promise<void>,
  log: Log = () => {},
): Promise<string> {
  const target = artifactPath(key);
  const present = await findArtifact(key);
  if (present) return present;
  await makeFolder(dirname(target));
  const unlock = await waitForLock(target, log);
  try {
    await sweepOrphans(dirname(target));
    const found = await findArtifact(key);
    if (found) return found;
    await buildAtomically(target, build);
    await removeSuperseded(key);
    return target;
  } finally {
    await unlock();
  }
}

async function buildAtomically(target: string, build: (directory: string) => Promise<void>): Promise<void> {
  const partial = join(dirname(target), partialName(basename(target)));
  try {
    await mkdir(partial);
    await build(partial);
    await syncTree(partial);
    await moveIntoPlace(partial, target);
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}

/** A day, in milliseconds: longer than anything that was begun with an older artifact still reads from it. */
const SUPERSEDED_AFTER = 24 * 3600 * 1000;

/** What an older recipe made of the same version is of no use any more, and would let the cache grow without end. */
async function removeSuperseded(key: ArtifactKey): Promise<void> {
  const folder = dirname(artifactPath(key));
  for (const name of await readdir(folder)) {
    const recipe = name.startsWith(`${key.version}-`) ? name.slice(key.version.length + 1) : '';
    if (!/^[0-9a-f]{12}$/.test(recipe) || recipe === key.recipe) continue;
    const { mtimeMs } = await stat(join(folder, name));
    if (Date.now() - mtimeMs > SUPERSEDED_AFTER) await rm(join(folder, name), { recursive: true, force: true });
  }
}

async function moveIntoPlace(partial: string, target: string): Promise<void> {
  try {
    await rename(partial, target);
  } catch (error) {
    // Another builder of the same recipe was quicker (its lock or ours was lost on the way): its result is as good.
    const code = (error as NodeJS.ErrnoException).code;
    if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw error;
  }
  await syncFile(dirname(target));
}

/**
 * Makes a folder of the cache and marks it as ours. The mark is the one of the Cache Directory Tagging Specification,
 * so back-up tools leave the folder out; `cleanCache` removes nothing that does not carry it.
 */
export async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true });
    await writeFile(join(path, TAG_FILE), TAG);
  } catch (cause) {
    throw new KubewrightError('KW702', `The cache ${path} cannot be written: ${messageOf(cause)}.`, {
      hint: 'Set KUBEWRIGHT_CACHE to a directory that you may write to.',
      cause,
    });
  }
}

/**
 * Waits for the builder's lock. It is a directory whose modification time its holder renews every two seconds; ten
 * seconds without that and it counts as abandoned, so a killed builder stops nobody for longer.
 *
 * @param does what its holder does, for people
 */
export async function waitForLock(
  target: string,
  log: Log,
  does = `builds ${basename(target)}`,
): Promise<() => Promise<void>> {
  for (let waited = false; ; waited = true) {
    try {
      // A compromised lock (this process slept through ten seconds) is no reason to stop: the rename decides.
      return await lock(target, { realpath: false, stale: 10_000, update: 2_000, onCompromised: () => {} }).then(
        (release) => () => release().catch(() => {}),
      );
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ELOCKED') throw error;
      if (!waited) log(`waiting for another process that ${does}`);
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  }
}

/** Writes a file's (or directory's) content through to the disk. */
export async function syncFile(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Many at once: the file system's journal then commits them together. */
async function syncTree(directory: string): Promise<void> {
  const limit = pLimit(16);
  const entries = await readdir(directory, { withFileTypes: true, recursive: true });
  const paths = entries
    .filter((entry) => entry.isDirectory() || entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  await Promise.all([...paths, directory].map((path) => limit(() => syncFile(path))));
}

/**
 * @param gigabytes what the build was measured to need at its peak, in units of 10^9 bytes
 * @throws KW701 when the file system that holds `directory` has less free
 */
export async function requireFreeSpace(directory: string, gigabytes: number, what: string): Promise<void> {
  await makeFolder(directory);
  const { bavail, bsize } = await statfs(directory);
  const free = (bavail * bsize) / 1e9;
  if (free >= gigabytes) return;
  throw new KubewrightError(
    'KW701',
    `Building ${what} needs ${gigabytes} GB of free disk space for a while; ${directory} has ${free.toFixed(1)} GB.`,
    { hint: 'Free some space, or set KUBEWRIGHT_CACHE to a directory on a larger disk. Most of it is given back.' },
  );
}

/**
 * Lends `use` an empty directory in the cache and throws it away afterwards, also after a failure. What is left when
 * the process was killed is removed by the next run.
 */
export async function withScratch<T>(name: string, use: (directory: string) => Promise<T>): Promise<T> {
  const parent = join(cacheDirectory(), 'scratch');
  await makeFolder(parent);
  await sweepOrphans(parent);
  const directory = join(parent, partialName(name));
  await mkdir(directory);
  try {
    return await use(directory);
  } finally {
    // A child that was just interrupted may still write a file while its directory goes.
    await rm(directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }
}

/** Moves a file, also from one file system to another. */
export async function moveFile(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EXDEV') throw error;
    await copyFile(from, to);
    await rm(from);
  }
}

/**
 * Removes every finished artifact and every leftover: those folders of the cache that carry our mark, nothing else.
 * What other processes build at this moment fails.
 */
export async function cleanCache(): Promise<void> {
  const cache = cacheDirectory();
  for (const name of await readdir(cache).catch(() => [])) {
    const tag = await readFile(join(cache, name, TAG_FILE), 'utf8').catch(() => '');
    if (tag === TAG) await rm(join(cache, name), { recursive: true, force: true });
  }
  // Gone with the last folder, unless somebody else keeps something in it.
  await rmdir(cache).catch(() => {});
}
