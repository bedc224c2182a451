import type { Cluster } from '../cluster/types.js';
import { CONTAINERD_SOCKET } from '../components/runtime/containerd/render/config.js';
import { BINARY_DIRECTORY } from './kubelet-unit.js';
import { renderYaml } from './yaml.js';

export const CRI_SOCKET = `unix://${CONTAINERD_SOCKET}`;
export const MANIFESTS_DIRECTORY = '/etc/kubernetes/manifests';
export const ETCD_KUBELET_CONFIG_PATH = '/etc/kubewright/kubelet-etcd.yaml';
export const ETCD_KUBELET_DROP_IN_PATH = '/etc/systemd/system/kubelet.service.d/20-kubewright-etcd.conf';

/** Name of the patch that holds what differs between hosts; it sorts before patches of the user that have a suffix. */
export const KUBELET_PATCH_NAME = 'kubeletconfiguration-kubewright+merge.yaml';

const KUBELET_HEADER = { apiVersion: 'kubelet.config.k8s.io/v1beta1', kind: 'KubeletConfiguration' };

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
function imageCollection(facts: KubeletFacts): object {
  return facts.imagesPinned ? {} : { imageGCHighThresholdPercent: 100 };
}

/**
 * The kubelet of an etcd host: it runs static pods and belongs to no cluster. Its API listens on loopback, and as there is
 * no way to authenticate, nobody is let in.
 */
export function renderEtcdKubeletConfig(cluster: Cluster, facts: KubeletFacts): string {
  return renderYaml({
    ...KUBELET_HEADER,
    address: '127.0.0.1',
    authentication: { anonymous: { enabled: false }, webhook: { enabled: false } },
    authorization: { mode: 'AlwaysAllow' },
    cgroupDriver: 'systemd',
    containerRuntimeEndpoint: CRI_SOCKET,
    resolvConf: facts.resolvConf,
    staticPodPath: MANIFESTS_DIRECTORY,
    ...imageCollection(facts),
    ...cluster.kubernetes.kubelet.config,
  });
}

/** Sorts behind kubeadm's drop-in and replaces its command: there is no kubeconfig on an etcd host. */
export function renderEtcdKubeletDropIn(): string {
  return `# Written by Kubewright: this host's kubelet runs etcd as a static pod and belongs to no cluster.
[Service]
ExecStart=
ExecStart=${BINARY_DIRECTORY}/kubelet --config=${ETCD_KUBELET_CONFIG_PATH}
`;
}
