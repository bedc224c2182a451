import { by, type KeyChanges, used } from '../../../cluster/key-change.js';
import type { Cluster } from '../../../cluster/types.js';

/** `spec.etcd`, resolved, where systemd runs the members, but for what every etcd has. */
export type SystemdEtcdSettings = ({ topology: 'stacked' } | { topology: 'external' }) & {
  runner: 'systemd';
  /** Days for which etcd's certificates are made. */
  certificateValidityDays: number;
  /** More names and addresses in the certificates of the members. */
  certificateSANs: string[];
};

export const DEFAULTS = {
  /** As long as kubeadm's own. */
  certificateValidityDays: 365,
} as const;

export const CHANGES: KeyChanges = {
  // Those that are there are good until they end; the next ones are made for as long as the file says.
  'spec.etcd.certificateValidityDays': used,
  'spec.etcd.certificateSANs': by('etcd-certificates'),
};

/** Its settings in a cluster that has chosen it. */
export function settingsOf({ etcd }: Pick<Cluster, 'etcd'>): SystemdEtcdSettings {
  // Who asks belongs to this choice, so this is a programming error, not a user's.
  if (etcd.runner !== 'systemd') throw new Error('the cluster runs its etcd in another way');
  return etcd;
}
