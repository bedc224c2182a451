import type { Cluster } from '../../../cluster/types.js';

/** What every load balancer with a virtual IP has in `spec.endpoint`, resolved. */
export interface VirtualIp {
  /** Virtual IP address of the API. */
  vip: string;
  /** Prefix length of the hosts' subnet, for the VIP check; hosts and VIP share it. */
  prefixLength: number;
  /** Network card that carries the VIP; null: the one that carries the host's address. */
  interface: string | null;
}

export const VIRTUAL_IP_DEFAULTS = {
  /** The commonest size of a server subnet; used only to check that VIP and control planes share a subnet. */
  prefixLength: 24,
  /** The card that carries the host's address. */
  interface: null,
} as const;

/** The virtual IP, with the API's port there, of a cluster whose load balancer has one. */
export function virtualIpOf({ endpoint }: Pick<Cluster, 'endpoint'>): VirtualIp & { port: number } {
  // Who asks belongs to such a load balancer, so this is a programming error, not a user's.
  if (!('vip' in endpoint)) throw new Error('the load balancer of this cluster has no virtual IP');
  return endpoint;
}
