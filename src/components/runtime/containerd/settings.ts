import { by, type KeyChanges, refused } from '../../../cluster/key-change.js';
import type { Cluster } from '../../../cluster/types.js';

/** `spec.runtime`, resolved. */
export interface ContainerdSettings {
  type: 'containerd';
  /** Whose containerd and runc it is: the bundle's, or the packages of the distribution. */
  source: 'bundle' | 'distribution';
  /** Deep-merged into the generated containerd configuration (TOML as YAML). */
  config: Record<string, unknown>;
}

export const DEFAULTS = {
  /** The distribution's containerd may be too old for the minor, and its mirror out of reach. */
  source: 'bundle',
} as const;

/** Changing the source would put another containerd under pods that run, which only an upgrade does, host by host. */
export const CHANGES: KeyChanges = { 'spec.runtime.source': refused('upgrade'), 'spec.runtime.config': by('runtime') };

/** Its settings in a cluster that has chosen it. */
export function settingsOf({ runtime }: Pick<Cluster, 'runtime'>): ContainerdSettings {
  // Who asks belongs to this choice, so this is a programming error, not a user's.
  if (runtime.type !== 'containerd') throw new Error('the cluster has another runtime');
  // What was recorded before there was a choice came from the distribution.
  return { ...runtime, source: runtime.source ?? 'distribution' };
}
