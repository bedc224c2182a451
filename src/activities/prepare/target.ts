import type { Bundle } from '../../bundle/bundle.js';
import { requireBundle } from '../../bundle/locate.js';
import type { Cluster, ClusterHost } from '../../cluster/types.js';
import { KubewrightError } from '../../errors.js';
import type { StepContext } from '../types.js';

/** The step's own host as cluster.yaml describes it. */
export function hostOf({ cluster, step }: Pick<StepContext, 'cluster' | 'step'>): ClusterHost {
  const host = cluster.hosts.find(({ name }) => name === step.host);
  // The plan is computed from this very cluster, so this is a programming error, not a user's.
  if (host === undefined) throw new Error(`step ${step.id} names no host of the cluster`);
  return host;
}

/** What `uname -m` calls the architectures that bundles exist for. */
const ARCHITECTURES: Record<string, string> = { x86_64: 'amd64', aarch64: 'arm64' };

/** Architecture in Kubernetes' words, or undefined when there are no bundles for it. */
export function architectureOf(machine: string): string | undefined {
  return ARCHITECTURES[machine];
}

/**
 * The bundle that goes onto hosts of an architecture: the one cluster.yaml names, else the newest in the worker's cache.
 *
 * @throws KubewrightError KW73x when there is none, or one for something else
 */
export async function bundleFor({ packages, kubernetes }: Cluster, architecture: string): Promise<Bundle> {
  // What takes something of a bundle goes with no other source: the file's checks see to it, so this is a programming error.
  if (!('bundle' in packages)) throw new Error('the cluster takes nothing from a bundle');
  return requireBundle(packages.bundle, kubernetes.version, architecture);
}

/** What the host of an attempt of a step has said: it is asked once, not again for each stage. */
const machines = new WeakMap<StepContext, string>();

/** The bundle for the step's own host, which is asked for its architecture. */
export async function bundleOf(context: StepContext): Promise<Bundle> {
  return bundleFor(context.cluster, await ownArchitecture(context));
}

/**
 * Architecture of the step's own host, in Kubernetes' words.
 *
 * @throws KubewrightError KW303 where there is nothing for it
 */
export async function ownArchitecture(context: StepContext): Promise<string> {
  const { host, signal } = context;
  const machine = machines.get(context) ?? (await host.run('uname -m\n', { signal })).stdout.trim();
  machines.set(context, machine);
  const architecture = architectureOf(machine);
  if (architecture !== undefined) return architecture;
  throw new KubewrightError('KW303', `its architecture is ${machine}, and bundles exist for x86_64 and aarch64`, {
    host: host.name,
    hint: 'Use a host with one of these.',
  });
}
