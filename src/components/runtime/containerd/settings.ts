import { by, type KeyChanges } from '../../../cluster/key-change.js';
import type { Cluster } from '../../../cluster/types.js';

/** `spec.runtime`, resolved. */
export interface ContainerdSettings {
  type: 'containerd';
  /** Deep-merged into the generated containerd configuration (TOML as YAML). */
  config: Record<string, unknown>;
}

export const CHANGES: KeyChanges = { 'spec.runtime.config': by('runtime') };

/** Its settings in a cluster that has chosen it. */
export function settingsOf({ runtime }: Pick<Cluster, 'runtime'>): ContainerdSettings {
  // Who asks belongs to this choice, so this is a programming error, not a user's.
  if (runtime.type !== 'containerd') throw new Error('the cluster has another runtime');
  return runtime;
}
