import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256OfFile } from '../../bundle/digest.js';
import { cacheDirectory, type Log, makeFolder, waitForLock } from '../cache/cache.js';
import type { Meter, MeterItem } from '../progress/meter.js';
import { type DownloadOptions, download } from './download.js';

/** Milliseconds after which nobody comes back for what an interrupted download left: two weeks. */
const FORGOTTEN_AFTER = 14 * 24 * 3600 * 1000;

/**
 * Downloads that outlive the process: a folder of the cache in which each lies under its SHA-256, and what is not whole yet
 * under the same name with `.part`. The sum is the name, so it does not matter which mirror the beginning came from, and what
 * does not fit its name is thrown away.
 */
export class DownloadStore {
  private readonly running = new Map<string, Promise<string>>();
  private readonly items = new Map<string, MeterItem>();

  constructor(private readonly directory: string) {}

  /** Tells a meter of what will come, so that it knows the whole from the beginning. */
  announce(meter: Meter, sha256: string, size: number): void {
    if (this.items.has(sha256)) return;
    const item = meter.item();
    item.size(size);
    this.items.set(sha256, item);
  }

  /**
   * The path of a file with this content: what is there already, else downloaded. Images share layers: who asks for one that
   * is on its way waits for it.
   *
   * @throws as `download`
   */
  fetch(url: string, sha256: string, options: DownloadOptions): Promise<string> {
    const running = this.running.get(sha256) ?? this.bring(url, sha256, options);
    this.running.set(sha256, running);
    return running;
  }

  private async bring(url: string, sha256: string, options: DownloadOptions): Promise<string> {
    const path = join(this.directory, sha256);
    const item = this.items.get(sha256);
    const size = (await stat(path).catch(() => undefined))?.size;
    if (size !== undefined && (await sha256OfFile(path)) === sha256) {
      item?.size(size);
      item?.stands(size);
      return path;
    }
    // A power failure may leave a file under its final name without its content.
    await rm(path, { force: true });
    await download(url, path, sha256, { ...options, ...(item && { item }) });
    return path;
  }

  /** Removes what this run used: the bundle holds it now. */
  async clear(): Promise<void> {
    for (const sha256 of this.running.keys()) await rm(join(this.directory, sha256), { force: true });
  }

  /** Removes what nobody came back for. */
  async sweep(): Promise<void> {
    for (const name of await readdir(this.directory)) {
      if (!/^[0-9a-f]{64}(\.part)?$/.test(name)) continue;
      const path = join(this.directory, name);
      const { mtimeMs } = await stat(path);
      if (Date.now() - mtimeMs > FORGOTTEN_AFTER) await rm(path, { force: true });
    }
  }
}

/**
 * Lends `use` the store of downloads. One process at a time: others wait, for two that wrote the same file would spoil it. What
 * was used is removed when `use` has succeeded, and kept for the next attempt when it has not.
 */
export async function withDownloads<T>(log: Log, use: (store: DownloadStore) => Promise<T>): Promise<T> {
  const directory = join(cacheDirectory(), 'downloads');
  await makeFolder(directory);
  const unlock = await waitForLock(join(directory, 'all'), log, 'downloads');
  try {
    const store = new DownloadStore(directory);
    await store.sweep();
    const result = await use(store);
    await store.clear();
    return result;
  } finally {
    await unlock();
  }
}
