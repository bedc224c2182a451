import { createHash } from 'node:crypto';

/** Where durable commands keep their records on a host. */
export const UNITS_DIRECTORY = '/var/lib/kubewright/units';
/** Secrets and the host's lock: in memory, gone with a reboot. */
export const RUNTIME_DIRECTORY = '/run/kubewright';

/**
 * Name of the systemd unit for a durable command's id, without `.service`: readable, and unique by its hash.
 * `cluster/demo:cp-2/join:kubeadm` is `kubewright-cluster-demo-cp-2-join-kubeadm-1f0c…`.
 */
export function unitName(id: string): string {
  const slug = id
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')
    .slice(0, 80);
  return `kubewright-${slug}-${createHash('sha256').update(id).digest('hex').slice(0, 10)}`;
}

/** Tells whether two commands of one id are the same work. Minted secrets are no part of it: they differ each time. */
export function inputHash(script: string): string {
  return createHash('sha256').update(script).digest('hex');
}
