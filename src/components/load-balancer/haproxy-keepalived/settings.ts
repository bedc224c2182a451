import { by, type KeyChanges } from '../../../cluster/key-change.js';
import type { Cluster } from '../../../cluster/types.js';
import { ENDPOINT_CHANGES, type VrrpEndpoint } from '../vrrp/endpoint.js';
import { NOTIFY_CHANGES, type Notifying } from '../vrrp/notify/settings.js';

export { ENDPOINT_DEFAULTS } from '../vrrp/endpoint.js';

/** `spec.loadBalancer`, resolved. */
export interface HaproxyKeepalivedSettings extends Notifying {
  type: 'haproxy-keepalived';
  /** Whose HAProxy and keepalived they are: the bundle's, or the packages of the distribution. */
  source: 'bundle' | 'distribution';
}

/** What it adds to `spec.endpoint`, resolved. */
export type HaproxyKeepalivedEndpoint = VrrpEndpoint;

export const DEFAULTS = {
  /** The distribution's mirror may be out of reach. */
  source: 'bundle',
} as const;

export const CHANGES: KeyChanges = {
  'spec.loadBalancer.source': by('load-balancer'),
  ...ENDPOINT_CHANGES,
  ...NOTIFY_CHANGES,
};

/** Whether HAProxy and keepalived are the bundle's. */
export function isFromBundle({ loadBalancer }: Pick<Cluster, 'loadBalancer'>): boolean {
  // What was recorded before there was a choice came from the distribution.
  return 'source' in loadBalancer && loadBalancer.source === 'bundle';
}
