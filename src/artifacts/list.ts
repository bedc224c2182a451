import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Bundle, contentsOf, readBundle, sizeOnDisk } from '../bundle/bundle.js';
import { BUNDLES, isBundleName } from '../bundle/locate.js';
import { messageOf } from '../errors.js';
import { bundleKey } from './bundle.js';
import { artifactPath, cacheDirectory } from './cache/cache.js';
import { BUNDLED_BALANCERS, BUNDLED_NETWORKS, BUNDLED_RUNTIMES } from './official/job.js';

/** A bundle in the cache, as it is listed. */
export interface BundleListing {
  /** Directory of the bundle. */
  path: string;
  /**
   * `current`: what this Kubewright would make. `outdated`: of an earlier recipe; it still installs. `damaged`: see `problem`.
   */
  state: 'current' | 'outdated' | 'damaged';
  /** Of `damaged`: what is wrong. */
  problem?: string;
  /** Version of Kubernetes; absent where it cannot be told. */
  kubernetes?: string;
  /** Architecture of the hosts that it is for. */
  architecture?: string;
  /** What made it: `official` releases were downloaded, or `modules` were built. */
  maker?: string;
  /** Bytes of all files and images as they lie there: programs packed. */
  size?: number;
  /** When it was made, as ISO 8601 in UTC. */
  createdAt?: string;
  /** Versions of what is in it, such as `containerd` and `etcd`. */
  versions?: Record<string, string>;
}

/**
 * All bundles in the worker's cache, by name. Sizes of files are compared with `bundle.json`, contents are not: that is what
 * `verifyBundle` is for, and takes seconds.
 */
export async function listBundles(): Promise<BundleListing[]> {
  const folder = join(cacheDirectory(), BUNDLES);
  const names = (await readdir(folder).catch(() => [])).filter(isBundleName).sort();
  return Promise.all(names.map((name) => describe(join(folder, name))));
}

async function describe(path: string): Promise<BundleListing> {
  const bundle = await readBundle(path).catch((error: unknown) => messageOf(error));
  if (typeof bundle === 'string') return { path, state: 'damaged', problem: bundle };
  const { kubernetesVersion, architecture, source, createdAt, versions } = bundle;
  const problem = await incompleteness(bundle);
  return {
    path,
    state: problem ? 'damaged' : (await isCurrent(bundle)) ? 'current' : 'outdated',
    ...(problem && { problem }),
    kubernetes: kubernetesVersion,
    architecture,
    maker: source,
    size: sizeOnDisk(bundle),
    ...(createdAt && { createdAt }),
    versions,
  };
}

/** The name holds the recipe's hash. A recipe that is gone (a version that is no longer built) is an earlier one. */
async function isCurrent({ directory, kubernetesVersion, architecture, source, versions }: Bundle): Promise<boolean> {
  const networks = BUNDLED_NETWORKS.filter((name) => versions[name] !== undefined);
  const runtimes = versions['cri-o'] === undefined ? [] : BUNDLED_RUNTIMES;
  const balancers = BUNDLED_BALANCERS.filter((name) => versions[name] !== undefined);
  const extras = { networks, runtimes, balancers };
  const key = await bundleKey(kubernetesVersion, architecture, source, extras).catch(() => undefined);
  return key !== undefined && artifactPath(key) === directory;
}

async function incompleteness(bundle: Bundle): Promise<string | undefined> {
  const faults: string[] = [];
  for (const { path, size } of contentsOf(bundle)) {
    const found = await stat(join(bundle.directory, path)).catch(() => undefined);
    if (!found) faults.push(`${path} is missing`);
    else if (found.size !== size) faults.push(`${path} has ${found.size} bytes instead of ${size}`);
  }
  return faults.length > 0 ? faults.join('; ') : undefined;
}
