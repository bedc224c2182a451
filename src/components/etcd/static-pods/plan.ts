import { type Cluster, hostsOf } from '../../../cluster/types.js';
import { clusterStep, hostStep, idsOf } from '../../../plan/step.js';
import { ours } from '../../leftovers.js';
import type { Etcd, Preparation } from '../../types.js';
import { clientUrl, ETCD_CLIENT_FILES, ETCD_KUBELET_DROP_IN_PATH } from '../members/places.js';
import { membersOn } from '../members/plan.js';

const members = membersOn('etcd');

/** Members on hosts of their own, each a static pod of a kubelet that does nothing else. */
export const staticPods: Etcd = {
  ...members,
  leaves: [...members.leaves, ...ours([ETCD_KUBELET_DROP_IN_PATH])],
  kubeadmConfiguration: (cluster) => ({
    external: {
      endpoints: hostsOf(cluster, 'etcd').map(({ address }) => clientUrl(address)),
      caFile: ETCD_CLIENT_FILES.ca,
      certFile: ETCD_CLIENT_FILES.certificate,
      keyFile: ETCD_CLIENT_FILES.key,
    },
  }),
  install,
  renews: /\/pki\/(etcd\/|apiserver-etcd-client)/,
};

function install(cluster: Cluster): Preparation {
  const [first, ...others] = hostsOf(cluster, 'etcd');
  // The loader refuses external etcd without such a host, so this is a programming error, not a user's.
  if (first === undefined) throw new Error('external etcd has at least one host');
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
      action: 'startEtcdMember',
      title: `Start etcd on ${host.name}`,
      needs: [`${host.name}/etcd-certificates`, `${host.name}/binaries`, `${host.name}/images`],
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
