import type { KeyChanges } from '../../../cluster/key-change.js';
import { refused } from '../../../cluster/key-change.js';
import type { Cluster } from '../../../cluster/types.js';

/** `spec.loadBalancer`, resolved. */
export interface ExternalLoadBalancerSettings {
  type: 'external';
}

/** What it adds to `spec.endpoint`, resolved. */
export interface ExternalEndpoint {
  /** IPv4 address or DNS name at which somebody else's load balancer takes the API's connections. */
  address: string;
}

export const ENDPOINT_DEFAULTS = {
  /** Nothing of it is on the control planes, so it has the API server's own port, as kubeadm would. */
  port: 6443,
} as const;

export const CHANGES: KeyChanges = { 'spec.endpoint.address': refused('reconfigure') };

/** The address in a cluster that has chosen it. */
export function addressOf({ endpoint }: Pick<Cluster, 'endpoint'>): string {
  // Who asks belongs to this choice, so this is a programming error, not a user's.
  if (!('address' in endpoint)) throw new Error('the cluster has another load balancer');
  return endpoint.address;
}
