import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { KubewrightError } from '../errors.js';
import { bundleCommandFor, readBundle } from './bundle.js';
import { cacheDirectory } from './cache-directory.js';
import type { Bundle } from './schema.js';

/** Folder of the cache that holds bundles, each as `VERSION-ARCHITECTURE-SOURCE-RECIPE`. */
export const BUNDLES = 'bundles';

/**
 * The newest finished bundle of a Kubernetes version and architecture in the cache, whatever made it; undefined when
 * there is none. Builds nothing.
 */
export async function findBundle(kubernetesVersion: string, architecture: string): Promise<Bundle | undefined> {
  const folder = join(cacheDirectory(), BUNDLES);
  const names = await readdir(folder).catch(() => []);
  const prefix = `${kubernetesVersion}-${architecture}-`;
  // A name that begins with a dot is an unfinished build, one that ends in .lock is its lock.
  const candidates = names.filter((name) => name.startsWith(prefix) && !name.endsWith('.lock'));
  const bundles = await Promise.all(candidates.map((name) => readBundle(join(folder, name)).catch(() => undefined)));
  return bundles
    .filter((bundle) => bundle !== undefined)
    .sort((a, b) => (b.createdAt ?? '').localeCompare(a.createdAt ?? ''))[0];
}

/**
 * The bundle that `cluster.yaml` means: the directory it names, else the newest of the cache.
 *
 * @throws KW730 when there is none, KW735 when it is for another Kubernetes version or architecture
 */
export async function requireBundle(
  directory: string | null,
  kubernetesVersion: string,
  architecture: string,
): Promise<Bundle> {
  const bundle = directory === null ? await findBundle(kubernetesVersion, architecture) : await readBundle(directory);
  const make = `\`${bundleCommandFor(kubernetesVersion, architecture)}\``;
  if (!bundle) {
    throw new KubewrightError('KW730', `There is no bundle for Kubernetes ${kubernetesVersion} on ${architecture}.`, {
      hint: `Make one with ${make}; it lands in ${join(cacheDirectory(), BUNDLES)}.`,
    });
  }
  const mismatch =
    bundle.kubernetesVersion !== kubernetesVersion
      ? `Kubernetes ${bundle.kubernetesVersion}, not ${kubernetesVersion}`
      : bundle.architecture !== architecture
        ? `${bundle.architecture}, not ${architecture}`
        : undefined;
  if (!mismatch) return bundle;
  throw new KubewrightError('KW735', `The bundle ${bundle.directory} is for ${mismatch}.`, {
    hint: `Make the right one with ${make}, and leave packages.bundle out or point it there.`,
  });
}
