import type { Cluster, ClusterHost } from '../../../../cluster/types.js';
import { clusterHeader, initConfiguration } from '../../../../render/kubeadm.js';
import { renderYaml } from '../../../../render/yaml.js';
import { etcdOf } from '../../../registry/plan.js';
import { peerUrl } from '../../members/places.js';

export interface EtcdMemberOptions {
  /** Default: the members' own. Elsewhere while certificates for another host are made. */
  certificatesDirectory?: string;
  /** Members of the cluster that it starts with or joins, itself among them. */
  members: Pick<ClusterHost, 'name' | 'address'>[];
  /** `existing` for a member that was announced to a living cluster. etcd looks at it only when its data is empty. */
  state: 'new' | 'existing';
}

/**
 * What `kubeadm init phase certs etcd-…` and `kubeadm init phase etcd local` read for one member that is apart from a node.
 * Listening, advertised and peer URLs follow from the InitConfiguration's name and address.
 */
export function renderEtcdMember(cluster: Cluster, host: ClusterHost, options: EtcdMemberOptions): string {
  const { pki, dataDirectory, certificates } = etcdOf(cluster);
  const { validityDays, names: more } = certificates(cluster);
  const names = [host.name, host.address, ...more];
  return renderYaml(initConfiguration(cluster, host), {
    ...clusterHeader(cluster),
    certificatesDir: options.certificatesDirectory ?? pki,
    ...(validityDays === null ? {} : { certificateValidityPeriod: `${validityDays * 24}h0m0s` }),
    etcd: {
      local: {
        dataDir: dataDirectory,
        serverCertSANs: names,
        peerCertSANs: names,
        extraArgs: [
          { name: 'initial-cluster', value: options.members.map(initialMember).join(',') },
          { name: 'initial-cluster-state', value: options.state },
          // Members of two clusters that once had the same addresses never take each other for their own.
          { name: 'initial-cluster-token', value: cluster.name },
          ...cluster.etcd.extraArgs,
        ],
      },
    },
  });
}

export function initialMember({ name, address }: Pick<ClusterHost, 'name' | 'address'>): string {
  return `${name}=${peerUrl(address)}`;
}
