import { type KeyChanges, refused } from '../../../cluster/key-change.js';
import type { Cluster } from '../../../cluster/types.js';

/** `spec.network`, resolved. */
export interface FlannelSettings {
  plugin: 'flannel';
  /** Merged into flannel's net-conf.json `Backend`, such as `{ Type: vxlan, Port: 8472 }`. */
  backend: Record<string, unknown>;
}

export const DEFAULTS = {
  /** Works on any network that carries UDP between the hosts; flannel's recommended choice. */
  backend: { Type: 'vxlan' },
} as const;

export const CHANGES: KeyChanges = { 'spec.network.backend': refused('reconfigure') };

/** Its settings in a cluster that has chosen it. */
export function settingsOf({ network }: Pick<Cluster, 'network'>): FlannelSettings {
  // Who asks belongs to this choice, so this is a programming error, not a user's.
  if (network.plugin !== 'flannel') throw new Error('the cluster has another pod network');
  return network;
}
