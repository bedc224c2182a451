import type { Path } from '../../path.js';
import { valueAt } from '../../path.js';
import type { Check } from '../index.js';

interface Rule {
  path: Path;
  /** The only value that is taken; undefined: none is. */
  only?: unknown;
  reason: string;
}

const KUBELET: Path = ['spec', 'kubernetes', 'kubelet', 'config'];
const KUBE_PROXY: Path = ['spec', 'kubernetes', 'kubeProxy', 'config'];
const CONTAINERD: Path = ['spec', 'runtime', 'config'];

/** Settings that belong to another key, or that only one value of works. */
const RULES: Rule[] = [
  { path: [...KUBELET, 'apiVersion'], only: 'kubelet.config.k8s.io/v1beta1', reason: 'kubeadm speaks this version' },
  { path: [...KUBELET, 'kind'], only: 'KubeletConfiguration', reason: 'it is merged into this one' },
  {
    path: [...KUBELET, 'cgroupDriver'],
    only: 'systemd',
    reason: 'the container runtime is set up with the systemd driver',
  },
  { path: [...KUBELET, 'clusterDomain'], reason: 'use spec.kubernetes.dnsDomain' },
  {
    path: [...KUBELET, 'clusterDNS'],
    reason: 'it follows from spec.kubernetes.serviceSubnet, and names at another address would be served by nobody',
  },
  { path: [...KUBELET, 'staticPodPath'], reason: 'kubeadm writes the static pods to /etc/kubernetes/manifests' },
  { path: [...KUBELET, 'containerRuntimeEndpoint'], reason: 'use spec.runtime' },
  { path: [...KUBELET, 'registerWithTaints'], reason: "use the host's taints" },
  {
    path: [...KUBE_PROXY, 'apiVersion'],
    only: 'kubeproxy.config.k8s.io/v1alpha1',
    reason: 'kubeadm speaks this version',
  },
  { path: [...KUBE_PROXY, 'kind'], only: 'KubeProxyConfiguration', reason: 'it is merged into this one' },
  { path: [...KUBE_PROXY, 'clusterCIDR'], reason: 'use spec.kubernetes.podSubnet' },
  { path: [...KUBE_PROXY, 'hostnameOverride'], reason: "use the host's name" },
  { path: [...CONTAINERD, 'version'], reason: 'it follows from the containerd that is installed' },
];

/** What is merged into other programs' configuration must not contradict the rest of the file. */
export const checkComponentConfig: Check = (_cluster, report) => {
  for (const { path, only, reason } of RULES) {
    const value = valueAt(report.document.value, path);
    if (value === undefined || (only !== undefined && value === only)) continue;
    report.error(path, 'managed-setting', {
      message: only === undefined ? `this is set by Kubewright: ${reason}` : `only one value works: ${reason}`,
      expected: only === undefined ? '' : String(only),
      at: only === undefined ? 'key' : 'value',
    });
  }
};
