import { by, type KeyChanges } from '../../../cluster/key-change.js';
import { type Cluster, type ClusterHost, hostsOf } from '../../../cluster/types.js';
import type { VirtualIp } from '../virtual-ip/virtual-ip.js';

/** What VRRP adds to `spec.endpoint`, resolved. */
export interface VrrpEndpoint extends VirtualIp {
  /** VRRP id, different for every VRRP group on the network. */
  virtualRouterId: number;
  /** VRRP version 3 counts centiseconds: a multiple of 10. */
  advertIntervalMs: number;
  /** Control planes that shall have the virtual IP before all others, the first one first; left out: as in the file. */
  prefer?: string[];
}

export const ENDPOINT_DEFAULTS = {
  /** HAProxy runs on the control planes, where the API server binds 6443 on every address: it needs a port of its own. */
  port: 8443,
  /**
   * VRRP version 3 counts centiseconds. With 200 ms a backup takes over after at most 3 x 200 + 200 = 800 ms; measured
   * in the lab 0.6 s, against 3.3 s with the one second that most guides use.
   */
  advertIntervalMs: 200,
} as const;

/**
 * The VRRP id when none is given: the VIP's last octet, so that two clusters on one network differ without anyone
 * thinking of it. 0 is not a VRRP id (RFC 5798 section 5.2.3: 1 to 255).
 */
export function defaultVirtualRouterId(vip: string): number {
  return Number(vip.slice(vip.lastIndexOf('.') + 1)) || 1;
}

/** Keys of `spec.endpoint` that the step of each control plane compares. */
export const ENDPOINT_CHANGES: KeyChanges = {
  'spec.endpoint.interface': by('load-balancer'),
  'spec.endpoint.virtualRouterId': by('load-balancer'),
  'spec.endpoint.advertIntervalMs': by('load-balancer'),
  'spec.endpoint.prefer': by('load-balancer'),
};

/** VRRP's settings in a cluster whose load balancer speaks it. */
export function endpointSettings({ endpoint }: Pick<Cluster, 'endpoint'>): VrrpEndpoint {
  // Who asks belongs to such a load balancer, so this is a programming error, not a user's.
  if (!('virtualRouterId' in endpoint)) throw new Error('the load balancer of this cluster does not speak VRRP');
  return endpoint;
}

/** The control planes in the order in which they have the virtual IP: the first one that lives has it. */
export function preferredOrder(cluster: Cluster): ClusterHost[] {
  const { prefer = [] } = endpointSettings(cluster);
  const controlPlanes = hostsOf(cluster, 'control-plane');
  const rank = ({ name }: ClusterHost): number => (prefer.includes(name) ? prefer.indexOf(name) : prefer.length);
  return [...controlPlanes].sort((a, b) => rank(a) - rank(b));
}
