import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { KubewrightError } from '../errors.js';
import { bundleCommandFor, readBundle } from './bundle.js';
import { cacheDirectory } from './cache-directory.js';
import type { Bundle } from './schema.js';

/** Folder of the cache that holds bundles, each as `VERSION-ARCHITECTURE-SOURCE-RECIPE`. */
export const BUNDLES = 'bundles';

/** Whether an entry of that folder is a finished bundle: unfinished builds begin with a dot, locks end in .lock. */
export function isBundleName(name: string): boolean {
  return !name.startsWith('.') && !name.endsWith('.lock') && name !== 'CACHEDIR.TAG';
}

/**
 * The newest finished bundle of a Kubernetes version and architecture in the cache, whatever made it; undefined when
 * there is none. Builds nothing.
 */
export async function findBundle(kubernetesVersion: string, architecture: string): Promise<Bundle | undefined> {
  const { whole } = await candidates(kubernetesVersion, architecture);
  return whole.sort((a, b) => (b.createdAt ?? '').localeCompare(a.createdAt ?? ''))[0];
}

async function candidates(
  kubernetesVersion: string,
  architecture: string,
): Promise<{ whole: Bundle[]; damaged: string[]; others: string[] }> {
  const folder = join(cacheDirectory(), BUNDLES);
  const names = (await readdir(folder).catch(() => [])).filter(isBundleName).sort();
  const isMeant = (name: string): boolean => name.startsWith(`${kubernetesVersion}-${architecture}-`);
  const meant = names.filter(isMeant);
  const others = names.filter((name) => !isMeant(name));
  const read = await Promise.all(meant.map((name) => readBundle(join(folder, name)).catch(() => join(folder, name))));
  return {
    whole: read.filter((bundle) => typeof bundle !== 'string'),
    damaged: read.filter((bundle) => typeof bundle === 'string'),
    others,
  };
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
  if (!bundle) throw await missing(kubernetesVersion, architecture);
  const mismatch =
    bundle.kubernetesVersion !== kubernetesVersion
      ? `Kubernetes ${bundle.kubernetesVersion}, not ${kubernetesVersion}`
      : bundle.architecture !== architecture
        ? `${bundle.architecture}, not ${architecture}`
        : undefined;
  if (!mismatch) return bundle;
  const make = `\`${bundleCommandFor(kubernetesVersion, architecture)}\``;
  throw new KubewrightError('KW735', `The bundle ${bundle.directory} is for ${mismatch}.`, {
    hint:
      bundle.kubernetesVersion === kubernetesVersion
        ? `Make the one for these hosts with ${make}. Leave packages.bundle out where hosts differ: the cache has one for each architecture.`
        : `Make the right one with ${make}, and leave packages.bundle out or point it there; or, for a new cluster, take the bundle's version (kubernetes.version: ${bundle.kubernetesVersion}).`,
  });
}

/** A damaged bundle, and one of another version or architecture, are often what a person believes to have. */
async function missing(kubernetesVersion: string, architecture: string): Promise<KubewrightError> {
  const { damaged, others } = await candidates(kubernetesVersion, architecture);
  const make = `\`${bundleCommandFor(kubernetesVersion, architecture)}\``;
  const folder = join(cacheDirectory(), BUNDLES);
  const there = others.length > 0 ? ` What is there: ${others.map(shortName).join(', ')}.` : '';
  if (damaged.length === 0) {
    return new KubewrightError('KW730', `There is no bundle for Kubernetes ${kubernetesVersion} on ${architecture}.`, {
      hint: `Make one with ${make}; it lands in ${folder}.${there}`,
    });
  }
  return new KubewrightError(
    'KW730',
    `There is no whole bundle for Kubernetes ${kubernetesVersion} on ${architecture}: ${damaged.join(', ')} is damaged.`,
    { hint: `\`kubewright bundle list\` says how. Remove it and make it again with ${make}.` },
  );
}

/** `1.34.3-amd64-modules-92d1ddf4e27a` without the recipe. */
function shortName(name: string): string {
  return name.replace(/-[0-9a-f]{12}$/, '');
}
