import { createHash, randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheDirectory } from '../../../bundle/cache-directory.js';
import { KubewrightError, messageOf } from '../../../errors.js';
import type { PublishedManifest } from '../artifacts.js';

/** How long an address may take to answer, milliseconds. */
const PATIENCE_MS = 30_000;

const digestOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/**
 * A manifest that its makers publish, out of the worker's cache or from its address. Whatever came, it has the pinned SHA-256.
 *
 * @throws KubewrightError KW378 when it cannot be had, or is another one
 */
export async function fetchManifest({ url, sha256 }: PublishedManifest): Promise<string> {
  const folder = join(cacheDirectory(), 'manifests');
  const path = join(folder, sha256);
  const kept = await readFile(path).catch(() => undefined);
  if (kept !== undefined && digestOf(kept) === sha256) return kept.toString('utf8');
  const bytes = await bytesAt(url);
  const found = digestOf(bytes);
  if (found !== sha256) {
    throw new KubewrightError('KW378', `${url} is not what was published: SHA-256 is ${found}, not ${sha256}`, {
      hint: 'Something between the worker and there changes it (a proxy, a mirror): do not use it.',
    });
  }
  await mkdir(folder, { recursive: true });
  const unfinished = `${path}.${randomBytes(4).toString('hex')}`;
  await writeFile(unfinished, bytes);
  await rename(unfinished, path);
  return Buffer.from(bytes).toString('utf8');
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
