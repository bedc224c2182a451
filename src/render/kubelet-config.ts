import type { Cluster } from '../cluster/types.js';
import { renderYaml } from './yaml.js';

/** Name of the patch that holds what differs between hosts; it sorts before patches of the user that have a suffix. */
export const KUBELET_PATCH_NAME = 'kubeletconfiguration-kubewright+merge.yaml';

export const KUBELET_HEADER = { apiVersion: 'kubelet.config.k8s.io/v1beta1', kind: 'KubeletConfiguration' };

/** What only the host itself can tell. */
export interface KubeletFacts {
  /** The file with the host's real name servers: kubeadm decides once for all nodes, from the first one's. */
  resolvConf: string;
  /** Whether the container runtime reports a bundle's images as pinned, so that the kubelet spares them. */
  imagesPinned: boolean;
}

/** KubeletConfiguration of the whole cluster, as kubeadm stores it for every node. `kubelet.config` of cluster.yaml wins. */
export function kubeletConfiguration(cluster: Cluster): object {
  // Explicit, so that kubeadm does not write down what it finds on the first host.
  return {
    ...KUBELET_HEADER,
    cgroupDriver: 'systemd',
    resolvConf: '/etc/resolv.conf',
    // Renewed at a quarter of it: four times within the grace that the controller manager gives a node.
    nodeLeaseDurationSeconds: 20,
    // Not among the settings of every kubelet: one of an etcd host belongs to no cluster that could sign for it.
    ...(cluster.security?.kubeletServingCertificates === 'cluster' ? { serverTLSBootstrap: true } : {}),
    ...cluster.kubernetes.kubelet.config,
  };
}

/** kubeadm patch of one host's KubeletConfiguration. What cluster.yaml sets for all nodes stays as it is. */
export function renderKubeletPatch(cluster: Cluster, facts: KubeletFacts): string {
  const mine = { resolvConf: facts.resolvConf, ...imageCollection(facts) };
  const free = Object.entries(mine).filter(([key]) => !(key in cluster.kubernetes.kubelet.config));
  return renderYaml({ ...KUBELET_HEADER, ...Object.fromEntries(free) });
}

/** 100 switches the kubelet's image collection off: images of a bundle that it deleted could not be pulled again. */
export function imageCollection(facts: KubeletFacts): object {
  return facts.imagesPinned ? {} : { imageGCHighThresholdPercent: 100 };
}
