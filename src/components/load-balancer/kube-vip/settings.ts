import { by, type KeyChanges } from '../../../cluster/key-change.js';
import type { Cluster } from '../../../cluster/types.js';

/** For how long a control plane has the virtual IP without saying so again; whole seconds, as kube-vip takes them. */
export interface KubeVipLease {
  /** So long after the last word of the holder another control plane takes the virtual IP. */
  leaseDurationSeconds: number;
  /** So long the holder tries to say it, and then gives the virtual IP up by itself: less than the former. */
  renewDeadlineSeconds: number;
  /** Between two tries, of the holder and of those who wait. */
  retryPeriodSeconds: number;
}

/** `spec.loadBalancer`, resolved. */
export interface KubeVipSettings extends KubeVipLease {
  type: 'kube-vip';
  /** Image with a tag or digest, which the hosts pull; null: the bundle's. */
  image: string | null;
}

export const DEFAULTS = {
  image: null,
  // What kube-vip's manifests have. Kubernetes' own 15, 10 and 2 leave nobody at the virtual IP for a quarter of a minute.
  leaseDurationSeconds: 5,
  renewDeadlineSeconds: 3,
  retryPeriodSeconds: 1,
} as const;

export const CHANGES: KeyChanges = {
  'spec.loadBalancer.image': by('load-balancer'),
  'spec.loadBalancer.leaseDurationSeconds': by('load-balancer'),
  'spec.loadBalancer.renewDeadlineSeconds': by('load-balancer'),
  'spec.loadBalancer.retryPeriodSeconds': by('load-balancer'),
};

/** The settings of a cluster that has chosen it. */
export function settingsOf({ loadBalancer }: Pick<Cluster, 'loadBalancer'>): KubeVipSettings {
  // Who asks belongs to this choice, so this is a programming error, not a user's.
  if (loadBalancer.type !== 'kube-vip') throw new Error('the cluster has another load balancer');
  return loadBalancer;
}
