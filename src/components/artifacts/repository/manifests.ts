import { createHash, randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { cacheDirectory } from '../../../bundle/cache-directory.js';
import { KubewrightError, messageOf } from '../../../errors.js';
import type { PublishedManifest } from '../artifacts.js';

/** How long an address may take to answer, milliseconds. */
const PATIENCE_MS = 30_000;

const digestOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** What a cache that cannot be written did not take, by SHA-256: it is fetched once all the same. */
const unkept = new Map<string, string>();

/**
 * A manifest that its makers publish, out of the worker's cache or from its address. Whatever came, it has the pinned SHA-256.
 *
 * @throws KubewrightError KW378 when it cannot be had, or is another one
 */
export async function fetchManifest({ url, sha256 }: PublishedManifest): Promise<string> {
  const path = join(cacheDirectory(), 'manifests', sha256);
  const kept = await readFile(path).catch(() => undefined);
  if (kept !== undefined && digestOf(kept) === sha256) return kept.toString('utf8');
  const remembered = unkept.get(sha256);
  if (remembered !== undefined) return remembered;
  const bytes = await bytesAt(url);
  const found = digestOf(bytes);
  if (found !== sha256) {
    throw new KubewrightError('KW378', `${url} is not what was published: SHA-256 is ${found}, not ${sha256}`, {
      hint: 'Something between the worker and there changes it (a proxy, a mirror): do not use it.',
    });
  }
  const text = Buffer.from(bytes).toString('utf8');
  await keep(path, bytes).catch(() => unkept.set(sha256, text));
  return text;
}

/** Never half a file under its name. */
async function keep(path: string, bytes: Uint8Array): Promise<void> {
  const unfinished = `${path}.${randomBytes(4).toString('hex')}`;
  await mkdir(dirname(path), { recursive: true });
  try {
    await writeFile(unfinished, bytes);
    await rename(unfinished, path);
  } catch (error) {
    await rm(unfinished, { force: true }).catch(() => undefined);
    throw error;
  }
}

async function bytesAt(url: string): Promise<Uint8Array> {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(PATIENCE_MS) });
    if (!answer.ok) throw new Error(`the server says ${answer.status}`);
    return new Uint8Array(await answer.arrayBuffer());
  } catch (cause) {
    const why = cause instanceof Error && cause.cause instanceof Error ? cause.cause.message : messageOf(cause);
    throw new KubewrightError('KW378', `the worker does not get ${url}: ${why}`, {
      hint: 'Let the machine of the worker reach it (behind a proxy: HTTPS_PROXY and NODE_USE_ENV_PROXY=1, Node 24), or take network.plugin: manifest with a file of your own.',
      cause,
    });
  }
}
