import type { Cluster, ClusterHost } from '../../../cluster/types.js';
import { etcdOf } from '../../registry/plan.js';
import { ETCD_CLIENT_FILES } from '../members/places.js';

type Choosing = Pick<Cluster, 'etcd'>;

/** A certificate and its key, as two files with the same name. */
export interface CertificatePair {
  /** Path without `.crt` and `.key`. */
  base: string;
  /** DNS names and addresses that it has to be good for. */
  names: string[];
  /** Whose its key is, and nobody else's; default root. */
  owner?: string | undefined;
}

/** Folder of a member's own certificates. */
export function memberPki(cluster: Choosing): string {
  return `${etcdOf(cluster).pki}/etcd`;
}

export function authorityPaths(cluster: Choosing): { ca: string; key: string } {
  return { ca: `${memberPki(cluster)}/ca.crt`, key: `${memberPki(cluster)}/ca.key` };
}

/** Where a host has the certificate of etcd's CA: a member beside its own, a control plane without one where kubeadm looks. */
export function caPathOn(cluster: Choosing, { role }: Pick<ClusterHost, 'role'>): string {
  return role === etcdOf(cluster).memberRole ? authorityPaths(cluster).ca : ETCD_CLIENT_FILES.ca;
}

/** The API servers' certificate for etcd, kept where it was made: from here it goes to each control plane. */
export function issuedClient(cluster: Choosing): CertificatePair {
  return { base: `${etcdOf(cluster).pki}/apiserver-etcd-client`, names: [] };
}

/** The same where kubeadm looks for it. */
export const CLIENT_PAIR: CertificatePair = { base: ETCD_CLIENT_FILES.certificate.replace(/\.crt$/, ''), names: [] };

/** Certificates of one member; its servers' keys are of the account that it runs as. */
export function memberPairs(cluster: Cluster, host: Pick<ClusterHost, 'name' | 'address'>): CertificatePair[] {
  const { account, certificates } = etcdOf(cluster);
  const names = [host.name, host.address, 'localhost', '127.0.0.1', ...certificates(cluster).names];
  const folder = memberPki(cluster);
  return [
    { base: `${folder}/server`, names, owner: account ?? undefined },
    { base: `${folder}/peer`, names, owner: account ?? undefined },
    { base: `${folder}/healthcheck-client`, names: [] },
  ];
}

/** A certificate that ends within so many days is made anew: a month before the end of kubeadm's year. */
export function leastDays(cluster: Cluster): number {
  const { validityDays } = etcdOf(cluster).certificates(cluster);
  return validityDays === null ? 30 : Math.min(30, Math.ceil(validityDays / 3));
}
