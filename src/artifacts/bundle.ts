import { join } from 'node:path';
import { BUNDLES } from '../bundle/locate.js';
import { releaseFor } from '../components/network/versions.js';
import { KubewrightError } from '../errors.js';
import {
  type ArtifactKey,
  cacheDirectory,
  ensureArtifact,
  findArtifact,
  type Log,
  requireFreeSpace,
  withScratch,
} from './cache/cache.js';
import { CONTENTS_REVISION } from './contents.js';
import { buildBundleFromModules, stageCount } from './from-modules/build.js';
import { DEBIAN_KEYRING } from './from-modules/debian.js';
import { IMAGES_REVISION } from './from-modules/images.js';
import { type GoScratch, withGoScratch } from './go/build.js';
import { bundleTools, ensureTools, isThere, requireGo, type Tool } from './go/tools.js';
import { LOAD_BALANCER_REVISION, LOAD_BALANCER_TOOLS, makeLoadBalancer } from './load-balancer.js';
import { BALANCERS } from './official/balancers.js';
import { downloadBundle, stagesOf } from './official/build.js';
import { Client } from './official/client.js';
import { requireCrioRelease } from './official/crio.js';
import { diskFull, isDiskFull } from './official/disk-full.js';
import type { BundledBalancer, BundledNetwork, BundledRuntime, OfficialDownload } from './official/job.js';
import { type Origins, resolveOrigins } from './official/origins.js';
import { OFFICIAL_REVISION } from './official/releases.js';
import { pinnedKeys, type Trust } from './official/signatures.js';
import { loadTrust } from './official/sigstore.js';
import { withDownloads } from './official/store.js';
import type { Progress } from './progress/bar.js';
import { type Architecture, BUILDABLE_KUBERNETES, bundleRecipes, recipeHash } from './recipes.js';
import { makeSkopeo, SKOPEO_REVISION } from './skopeo.js';
import { type BundleSource, chooseSource } from './source.js';
import { type Stage, Stages } from './stages.js';

export type { BundleSource };

/** Measured peak of Go's caches, the programs and the bundle, rounded up; units of 10^9 bytes. */
const MODULES_GIGABYTES = 16;
/** Archives and layers beside the finished bundle, rounded up. */
const OFFICIAL_GIGABYTES = 3;

/** What apt checks Debian's signatures with. */
const KEYRING: Tool = { path: DEBIAN_KEYRING, packages: ['debian-archive-keyring'] };

export interface EnsureBundleOptions {
  /** Kubernetes version without a `v`, such as `1.34.3`. */
  version: string;
  arch: Architecture;
  /** Left out: what the cache has, else official where dl.k8s.io answers, else modules where Go is. */
  from?: BundleSource | undefined;
  log?: Log;
  signal?: AbortSignal | undefined;
  /** Other places than the official ones, for mirrors and tests. */
  origins?: Origins;
  /** Asks them, with the user's credentials and certificate authorities; left out: without any. */
  client?: Client;
  /** Whether to refuse what is signed and could not be verified. */
  requireSignatures?: boolean | undefined;
  /** Whether HAProxy and keepalived come with it; a bundle from modules always has them. Left out: yes. */
  loadBalancer?: boolean | undefined;
  /** Pod networks beside flannel that come with it; only published releases have them. */
  networks?: readonly BundledNetwork[] | undefined;
  /** Container runtimes beside containerd that come with it; only published releases have them. */
  runtimes?: readonly BundledRuntime[] | undefined;
  /** Load balancers beside HAProxy and keepalived that come with it; only published releases have them. */
  balancers?: readonly BundledBalancer[] | undefined;
  /** Folder with other keys than the pinned ones, for tests. */
  keys?: string;
  /** Shows how downloads get on. */
  progress?: Progress;
  /** Go's caches to share with other builds of the same run. */
  scratch?: GoScratch | undefined;
  /** Told how long each stage took, if there was something to do. */
  onStages?: (stages: Stage[]) => void;
}

/**
 * The bundle of a Kubernetes version and architecture: from the cache, else made now.
 *
 * @returns its directory; `readBundle` reads it
 * @throws KW70x something is missing on this machine, KW71x a build failed, KW72x a download failed
 */
export async function ensureBundle(options: EnsureBundleOptions): Promise<string> {
  const { version, arch, log = () => {} } = options;
  const cached = await findCachedBundle(options);
  if (cached) return cached;
  const origins = options.origins ?? resolveOrigins();
  const from =
    options.from ??
    (await chooseSource({ version, arch, origins, log, ...(options.client && { client: options.client }) }));
  const signal = options.signal ?? new AbortController().signal;
  const key = await bundleKey(version, arch, from, options);
  const make = from === 'modules' ? makeFromModules : makeFromReleases;
  return ensureArtifact(key, (directory) => make(directory, { ...options, log, origins, signal }), log);
}

/** A bundle made by the present recipe, and by the maker that was asked for if one was. */
export async function findCachedBundle({
  version,
  arch,
  from,
  networks,
  runtimes,
  balancers,
}: Pick<EnsureBundleOptions, 'version' | 'arch' | 'from' | keyof Extras>): Promise<string | undefined> {
  for (const source of from ? [from] : (['official', 'modules'] as const)) {
    if (source === 'modules' && !BUILDABLE_KUBERNETES.includes(version)) continue;
    if (source === 'modules' && (networks?.length || runtimes?.length || balancers?.length)) continue;
    const found = await findArtifact(await bundleKey(version, arch, source, { networks, runtimes, balancers }));
    if (found) return found;
  }
  return undefined;
}

/** What comes with a bundle where it was asked for. */
export type Extras = Pick<EnsureBundleOptions, 'networks' | 'runtimes' | 'balancers'>;

/** The bundle's place in the cache. */
export async function bundleKey(
  version: string,
  arch: Architecture,
  from: BundleSource,
  { networks = [], runtimes = [], balancers = [] }: Extras = {},
): Promise<ArtifactKey> {
  if (from === 'modules') requireBuildable(version);
  const extras = [...networks, ...runtimes, ...balancers];
  if (from === 'modules' && extras.length > 0) throw notFromModules(extras);
  const parts = [`contents ${CONTENTS_REVISION}`, `load balancer ${LOAD_BALANCER_REVISION}`];
  const more = [
    ...networks.map((name) => `network ${name} ${releaseFor(name, version)?.version}`),
    ...runtimes.map((name) => `runtime ${name} ${requireCrioRelease(version)}, skopeo ${SKOPEO_REVISION}`),
    ...balancers.map((name) => `load balancer ${name} ${BALANCERS[name].version}`),
  ].sort();
  const recipe =
    from === 'modules'
      ? await recipeHash(bundleRecipes(version), `images ${IMAGES_REVISION}`, ...parts)
      : await recipeHash([], `official ${OFFICIAL_REVISION}`, ...parts, ...more);
  return { kind: BUNDLES, version: `${version}-${arch}-${from}`, recipe };
}

function notFromModules(extras: readonly string[]): KubewrightError {
  return new KubewrightError('KW742', `${extras.join(', ')} cannot be built from modules: there is no recipe for it.`, {
    hint: 'With published releases it comes along: `--from official`.',
  });
}

function requireBuildable(version: string): void {
  if (BUILDABLE_KUBERNETES.includes(version)) return;
  throw new KubewrightError('KW728', `Kubernetes ${version} cannot be built from modules: there is no recipe for it.`, {
    hint: `Versions with a recipe: ${BUILDABLE_KUBERNETES.join(', ')}. Published releases of all versions: --from official.`,
  });
}

type MakeOptions = EnsureBundleOptions &
  Required<Pick<EnsureBundleOptions, 'log' | 'origins'>> & { signal: AbortSignal };

async function makeFromModules(directory: string, options: MakeOptions): Promise<void> {
  const { version, arch, log, signal } = options;
  await requireGo();
  await ensureTools([...bundleTools(arch), ...LOAD_BALANCER_TOOLS, KEYRING], log);
  const stages = new Stages(stageCount(version), log);
  const build = (scratch: GoScratch): Promise<void> =>
    buildBundleFromModules(directory, { kubernetesVersion: version, architecture: arch, scratch, stages, signal });
  await (options.scratch ? build(options.scratch) : withGoScratch(MODULES_GIGABYTES, 'a bundle from modules', build));
  options.onStages?.(stages.done);
}

async function makeFromReleases(directory: string, options: MakeOptions): Promise<void> {
  const { version, arch, log, origins, signal, progress, client = new Client() } = options;
  await requireFreeSpace(cacheDirectory(), OFFICIAL_GIGABYTES, 'a bundle from releases');
  const trust = await trustOf(options);
  if (options.runtimes?.includes('crio')) await requirePacking();
  const stages = new Stages(stagesOf(options.runtimes), log);
  const common = { kubernetesVersion: version, architecture: arch, origins, client, stages, progress, signal };
  try {
    await withDownloads(log, (store) =>
      withScratch('official', (scratch) => {
        const loadBalancer = packLoadBalancer(options, scratch);
        const skopeo = (target: string) =>
          makeSkopeo(target, { architecture: arch, scratch: join(scratch, 'skopeo'), signal });
        const { networks, runtimes, balancers } = options;
        return downloadBundle(directory, {
          ...common,
          trust,
          store,
          scratch,
          loadBalancer,
          skopeo,
          networks,
          runtimes,
          balancers,
        });
      }),
    );
  } catch (error) {
    throw isDiskFull(error) ? await diskFull(directory, 'what the downloads hold', error) : error;
  }
  options.onStages?.(stages.done);
}

/** What packs skopeo, before anything is downloaded. @throws KW744 where there is no apt, KW705 where another tool is missing */
async function requirePacking(): Promise<void> {
  if (!(await isThere('apt-get'))) {
    throw new KubewrightError(
      'KW744',
      "skopeo, which brings images to CRI-O, comes from Debian's archive by apt-get, and this machine has none.",
      {
        hint: 'Make the bundle on a machine with Debian or Ubuntu and copy the directory; or leave --runtime crio out.',
      },
    );
  }
  await ensureTools([...LOAD_BALANCER_TOOLS, KEYRING], () => {});
}

/** HAProxy and keepalived are published as sources only, so they come from Debian's archive, which apt can read. */
function packLoadBalancer(
  { arch: architecture, log, signal, loadBalancer = true }: MakeOptions,
  scratch: string,
): OfficialDownload['loadBalancer'] {
  return async (directory) => {
    if (!loadBalancer || !(await isThere('apt-get'))) {
      log(
        'HAProxy and keepalived are not in this bundle: clusters of it need `loadBalancer.source: distribution`, or `loadBalancer.images` where they are static pods',
      );
      return { versions: {}, images: [] };
    }
    await ensureTools([...LOAD_BALANCER_TOOLS, KEYRING], log);
    return makeLoadBalancer(directory, { architecture, scratch: join(scratch, 'load-balancer'), signal });
  };
}

async function trustOf({ origins, requireSignatures = false, keys = pinnedKeys() }: MakeOptions): Promise<Trust> {
  const root = process.env.KUBEWRIGHT_SIGSTORE_ROOT || join(keys, 'sigstore-trusted-root.json');
  return { keys, sigstore: await loadTrust(root), rekor: origins['rekor.sigstore.dev'], required: requireSignatures };
}
