import { type BundleSource, ensureBundle, findCachedBundle } from '../../src/artifacts/bundle.js';
import type { Log } from '../../src/artifacts/cache/cache.js';
import { type GoScratch, withGoScratch } from '../../src/artifacts/go/build.js';
import { goVersion } from '../../src/artifacts/go/tools.js';
import { type Architecture, machineArchitecture } from '../../src/artifacts/recipes.js';
import type { Stage } from '../../src/artifacts/stages.js';
import { ensureTemporal, findTemporal, type TemporalBinaries } from '../../src/artifacts/temporal.js';
import { hasGuestImage } from '../hosts/carriers/guest/image/image.js';

/** Measured peak of everything built from modules in one run, rounded up; units of 10^9 bytes. */
const EVERYTHING_GIGABYTES = 18;

export interface AllArtifactsOptions {
  /** Kubernetes version without a `v`. */
  version: string;
  /** Further versions whose bundles are wanted. */
  others?: readonly string[];
  arch?: Architecture | undefined;
  /** Whether the first version's bundle is wanted for the other architecture as well. */
  otherArchitecture?: boolean;
  from?: BundleSource | undefined;
  log?: Log;
  signal?: AbortSignal | undefined;
}

export interface AllArtifacts {
  /** Directory of the bundle. */
  bundle: string;
  temporal: TemporalBinaries;
  /** What was done and how long each part took; empty when all of it was in the cache. */
  stages: Stage[];
}

/**
 * Everything that a rehearsal on this machine needs: Temporal and bundles. What is missing is built in one go, with
 * one set of Go caches, because most modules are the same.
 *
 * @throws as `ensureBundle` and `ensureTemporal`
 */
export async function ensureAllArtifacts(options: AllArtifactsOptions): Promise<AllArtifacts> {
  const { version, others = [], log, signal, from, arch = machineArchitecture() ?? 'amd64' } = options;
  const wanted: { version: string; arch: Architecture }[] = [version, ...others].map((each) => ({
    version: each,
    arch,
  }));
  if (options.otherArchitecture) wanted.push({ version, arch: otherThan(arch) });
  const stages: Stage[] = [];
  const onStages = (done: Stage[]): void => void stages.push(...done);
  const make = async (scratch?: GoScratch): Promise<AllArtifacts> => {
    const common = { ...(log ? { log } : {}), signal, scratch, onStages };
    const temporal = await ensureTemporal(common);
    const bundle = await ensureBundle({ version, arch, from, ...common });
    for (const each of wanted) await ensureBundle({ ...each, from, ...common });
    return { bundle, temporal, stages };
  };
  const bundles = wanted.map((each) => findCachedBundle({ ...each, from }));
  const isCached = [await findTemporal(), ...(await Promise.all(bundles))].every((found) => found !== undefined);
  if (isCached || (await goVersion()) === undefined) return make();
  return withGoScratch(EVERYTHING_GIGABYTES, 'everything from modules', make);
}

/**
 * Whether the cache has what a host of another architecture than this machine's is made of: its bundle and its guest's image.
 * Made from nothing they take half an hour.
 *
 * @param version of Kubernetes
 */
export async function hasOtherArchitecture(version: string): Promise<boolean> {
  const architecture = otherThan(machineArchitecture() ?? 'amd64');
  const bundle = await findCachedBundle({ version, arch: architecture });
  return bundle !== undefined && (await hasGuestImage({ distribution: 'debian-13', architecture }));
}

function otherThan(arch: Architecture): Architecture {
  return arch === 'amd64' ? 'arm64' : 'amd64';
}
