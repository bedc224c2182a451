import { by, type KeyChanges, refused } from '../../../cluster/key-change.js';
import type { Cluster } from '../../../cluster/types.js';

/** How packets of pods travel between hosts with Cilium. */
export type CiliumEncapsulation = 'vxlan' | 'geneve' | 'none';
export const ENCAPSULATIONS: readonly CiliumEncapsulation[] = ['vxlan', 'geneve', 'none'];

/** `spec.network`, resolved: Cilium by its own chart. */
export interface CiliumSettings {
  plugin: 'cilium';
  encapsulation: CiliumEncapsulation;
  /** Bytes that a packet of a pod may have. */
  mtu: number;
}

/** Bytes of a packet on most networks. */
const ETHERNET = 1_500;

/** Bytes that each way of travelling adds (Cilium's pkg/mtu: 50 for a tunnel over IPv4). */
export const OVERHEAD: Readonly<Record<CiliumEncapsulation, number>> = { vxlan: 50, geneve: 50, none: 0 };

export const DEFAULTS = {
  /** Cilium's own default. */
  encapsulation: 'vxlan',
} as const;

/** For hosts whose network carries packets of 1500 bytes. */
export function defaultMtu(encapsulation: CiliumEncapsulation): number {
  return ETHERNET - OVERHEAD[encapsulation];
}

/** Where load balancers outside of the cluster ask whether a node carries Services, as kube-proxy answers them. */
export const HEALTHZ_PORT = 10_256;

/** Agents that speak another way than the others reach no pod of theirs, and a roll-out takes minutes. */
export const CHANGES: KeyChanges = {
  'spec.network.encapsulation': refused('reconfigure'),
  'spec.network.mtu': by('network'),
};

/** Its settings in a cluster that has chosen it. */
export function settingsOf({ network }: Pick<Cluster, 'network'>): CiliumSettings {
  // Who asks belongs to this choice, so this is a programming error, not a user's.
  if (network.plugin !== 'cilium') throw new Error('the cluster has another pod network');
  return network;
}
