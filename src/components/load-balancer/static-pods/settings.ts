import { by, type KeyChanges } from '../../../cluster/key-change.js';
import type { Cluster } from '../../../cluster/types.js';

/** Images of other makers for the two static pods, each with a tag or a digest. */
export interface BalancerImages {
  haproxy: string;
  keepalived: string;
}

/** `spec.loadBalancer`, resolved. */
export interface StaticPodsSettings {
  type: 'static-pods';
  /** null: the bundle's image, with HAProxy and keepalived in it. */
  images: BalancerImages | null;
}

export const DEFAULTS = { images: null } as const;

export const CHANGES: KeyChanges = {
  'spec.loadBalancer.images': by('load-balancer'),
  'spec.loadBalancer.images.haproxy': by('load-balancer'),
  'spec.loadBalancer.images.keepalived': by('load-balancer'),
};

/** Images that the file names, which the runtime pulls; null where the bundle's is taken. */
export function ownImages({ loadBalancer }: Pick<Cluster, 'loadBalancer'>): BalancerImages | null {
  // Who asks belongs to this choice, so this is a programming error, not a user's.
  if (loadBalancer.type !== 'static-pods') throw new Error('the cluster has another load balancer');
  return loadBalancer.images;
}
