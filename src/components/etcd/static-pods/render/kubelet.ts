import type { Cluster } from '../../../../cluster/types.js';
import { MANIFESTS_DIRECTORY } from '../../../../render/kubeadm-paths.js';
import { imageCollection, KUBELET_HEADER, type KubeletFacts } from '../../../../render/kubelet-config.js';
import { BINARY_DIRECTORY } from '../../../../render/kubelet-unit.js';
import { renderYaml } from '../../../../render/yaml.js';
import { runtimeOf } from '../../../registry/plan.js';
import { ETCD_KUBELET_CONFIG_PATH } from '../../members/places.js';

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
    containerRuntimeEndpoint: runtimeOf(cluster).socket,
    resolvConf: facts.resolvConf,
    staticPodPath: MANIFESTS_DIRECTORY,
    ...imageCollection(facts),
    ...cluster.kubernetes.kubelet.config,
  });
}

/** Sorts behind kubeadm's drop-in and replaces its command: there is no kubeconfig on an etcd host. */
export function renderEtcdKubeletDropIn(directory: string = BINARY_DIRECTORY): string {
  return `# Written by Kubewright: this host's kubelet runs etcd as a static pod and belongs to no cluster.
[Service]
ExecStart=
ExecStart=${directory}/kubelet --config=${ETCD_KUBELET_CONFIG_PATH}
`;
}
