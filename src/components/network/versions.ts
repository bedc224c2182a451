import { minorOf } from '../../cluster/minors.js';
import type { KubeProxyMode } from '../kube-proxy/mode.js';

/** A release of a pod network, and what its makers test it with. */
export interface NetworkRelease {
  /** Name of the plugin in cluster.yaml. */
  plugin: string;
  /** Without a leading v. */
  version: string;
  /** Minors of Kubernetes. */
  minors: readonly number[];
  kubeProxy: readonly KubeProxyMode[];
}

/**
 * The one table of pod network × Kubernetes × kube-proxy mode, checked before anything else. A plugin that is not in it brings
 * no release of its own (none, manifest). Calico's rows go by "Kubernetes requirements" of each release's documentation; its
 * nftables mode is another data plane with settings of its own, which nobody here has tried. Cilium's go by "Kubernetes
 * compatibility" of the release, and by the modes that its own tests run beside.
 */
export const NETWORK_RELEASES: readonly NetworkRelease[] = [
  { plugin: 'flannel', version: '0.28.4', minors: [34, 35, 36, 37], kubeProxy: ['iptables', 'ipvs', 'nftables'] },
  { plugin: 'calico', version: '3.32.4', minors: [34], kubeProxy: ['iptables', 'ipvs'] },
  { plugin: 'calico', version: '3.33.1', minors: [35, 36, 37], kubeProxy: ['iptables', 'ipvs'] },
  { plugin: 'cilium', version: '1.20.2', minors: [34, 35, 36], kubeProxy: ['iptables', 'none'] },
];

/** The release of a plugin for a version of Kubernetes; undefined where there is none. */
export function releaseFor(plugin: string, kubernetesVersion: string): NetworkRelease | undefined {
  const minor = minorOf(kubernetesVersion)?.minor;
  return NETWORK_RELEASES.find((each) => each.plugin === plugin && minor !== undefined && each.minors.includes(minor));
}
