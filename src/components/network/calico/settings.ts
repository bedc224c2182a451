import { by, type KeyChanges, refused } from '../../../cluster/key-change.js';
import type { Cluster } from '../../../cluster/types.js';

/** How packets of pods travel between hosts. */
export type Encapsulation = 'vxlan' | 'ipip' | 'none';
export const ENCAPSULATIONS: readonly Encapsulation[] = ['vxlan', 'ipip', 'none'];

/** `spec.network`, resolved: Calico by its own manifest. */
export interface CalicoSettings {
  plugin: 'calico';
  encapsulation: Encapsulation;
  /** Bytes that a packet of a pod may have. */
  mtu: number;
}

/** Bytes of a packet on most networks. */
const ETHERNET = 1_500;

/** Bytes that each way of travelling adds (Calico's "Configure MTU"). */
const OVERHEAD: Readonly<Record<Encapsulation, number>> = { vxlan: 50, ipip: 20, none: 0 };

export const DEFAULTS = {
  /** Works on any network that carries UDP between the hosts, and needs no BGP. */
  encapsulation: 'vxlan',
} as const;

/** For hosts whose network carries packets of 1500 bytes. */
export function defaultMtu(encapsulation: Encapsulation): number {
  return ETHERNET - OVERHEAD[encapsulation];
}

/** The pool of a living cluster has one encapsulation, and Calico does not change it after it has made the pool. */
export const CHANGES: KeyChanges = {
  'spec.network.encapsulation': refused('reconfigure'),
  'spec.network.mtu': by('network'),
};

/** Its settings in a cluster that has chosen it. */
export function settingsOf({ network }: Pick<Cluster, 'network'>): CalicoSettings {
  // Who asks belongs to this choice, so this is a programming error, not a user's.
  if (network.plugin !== 'calico') throw new Error('the cluster has another pod network');
  return network;
}
