import type { Cluster } from '../../../cluster/types.js';

/** `spec.runtime`, resolved, where it is CRI-O. */
export interface CrioSettings {
  type: 'crio';
  /** Of CRI-O only the bundle's: no distribution has the one of each minor of Kubernetes. */
  source: 'bundle';
  /** Deep-merged into the generated configuration (TOML as YAML, its table `crio` included). */
  config: Record<string, unknown>;
}

/** Its settings in a cluster that has chosen it. */
export function settingsOf({ runtime }: Pick<Cluster, 'runtime'>): CrioSettings {
  // Who asks belongs to this choice, so this is a programming error, not a user's.
  if (runtime.type !== 'crio') throw new Error('the cluster has another runtime');
  return runtime;
}
