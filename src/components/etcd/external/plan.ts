import { type Cluster, hostsOf, type Role } from '../../../cluster/types.js';
import { clusterStep, hostStep, idsOf } from '../../../plan/step.js';
import type { Action } from '../../../plan/types.js';
import type { Etcd, Preparation } from '../../types.js';
import { clientUrl, ETCD_CLIENT_FILES } from '../members/places.js';
import { membersOn } from '../members/plan.js';

/** How hosts get their member. */
export interface StartOfMember {
  action: Action;
  /** Verbs of the host's steps that it needs besides its certificates. */
  needs: readonly string[];
}

/** Members that are there before the first control plane is, each with certificates of an authority of etcd's own. */
export function externalOn(
  memberRole: Role,
  start: StartOfMember,
): ReturnType<typeof membersOn> & Pick<Etcd, 'byKubeadm' | 'kubeadmConfiguration' | 'install'> {
  return {
    ...membersOn(memberRole),
    byKubeadm: false,
    kubeadmConfiguration: (cluster) => ({
      external: {
        endpoints: hostsOf(cluster, memberRole).map(({ address }) => clientUrl(address)),
        caFile: ETCD_CLIENT_FILES.ca,
        certFile: ETCD_CLIENT_FILES.certificate,
        keyFile: ETCD_CLIENT_FILES.key,
      },
    }),
    install: (cluster) => install(cluster, memberRole, start),
  };
}

function install(cluster: Cluster, memberRole: Role, start: StartOfMember): Preparation {
  const [first, ...others] = hostsOf(cluster, memberRole);
  // The loader refuses etcd without a host for it, so this is a programming error, not a user's.
  if (first === undefined) throw new Error('etcd has at least one host');
  const authority = hostStep(first, 'etcd-ca', {
    phase: 'etcd',
    action: 'createEtcdAuthority',
    title: `Create the etcd certificate authority on ${first.name}`,
    needs: [`${first.name}/binaries`],
  });
  const certificates = [first, ...others].map((host) =>
    hostStep(host, 'etcd-certificates', {
      phase: 'etcd',
      action: 'deliverEtcdCertificates',
      title: `Deliver etcd certificates to ${host.name}`,
      needs: [authority.id, ...(host === first ? [] : [`${host.name}/system`])],
    }),
  );
  const starts = [first, ...others].map((host) =>
    hostStep(host, 'etcd', {
      phase: 'etcd',
      action: start.action,
      title: `Start etcd on ${host.name}`,
      needs: ['etcd-certificates', ...start.needs].map((verb) => `${host.name}/${verb}`),
    }),
  );
  const health = clusterStep('etcd-health', {
    phase: 'etcd',
    action: 'verifyEtcdCluster',
    title: 'Prove that etcd is healthy before the first control plane starts',
    needs: idsOf(starts),
  });
  const clients = hostsOf(cluster, 'control-plane').map((host) =>
    hostStep(host, 'etcd-client', {
      phase: 'etcd',
      action: 'deliverEtcdClient',
      title: `Deliver the etcd client certificate to ${host.name}`,
      needs: [authority.id, `${host.name}/system`],
    }),
  );
  return {
    steps: [authority, ...certificates, ...starts, health, ...clients],
    neededBy: (host) => [`${host.name}/etcd-client`],
    neededByInit: [health.id],
  };
}
