import { PKI_DIRECTORY } from '../../../render/kubeadm-paths.js';

export const ETCD_CLIENT_PORT = 2379;
export const ETCD_PEER_PORT = 2380;
/** kubeadm's --listen-metrics-urls, on loopback. */
export const ETCD_METRICS_PORT = 2381;
export const ETCD_DATA_DIRECTORY = '/var/lib/etcd';

/** Where a control plane finds its client certificate for etcd that kubeadm has not made. */
export const ETCD_CLIENT_FILES = {
  ca: `${PKI_DIRECTORY}/etcd/ca.crt`,
  certificate: `${PKI_DIRECTORY}/apiserver-etcd-client.crt`,
  key: `${PKI_DIRECTORY}/apiserver-etcd-client.key`,
} as const;

/** What a host of its own keeps of its member: also looked for where a host may have been one. They hold no secret. */
export const ETCD_KUBEADM_CONFIG_PATH = '/etc/kubewright/kubeadm-etcd.yaml';
export const ETCD_KUBELET_CONFIG_PATH = '/etc/kubewright/kubelet-etcd.yaml';
export const ETCD_KUBELET_DROP_IN_PATH = '/etc/systemd/system/kubelet.service.d/20-kubewright-etcd.conf';
/** The unit of a member that systemd runs. */
export const ETCD_UNIT = 'kubewright-etcd.service';
export const ETCD_UNIT_PATH = `/etc/systemd/system/${ETCD_UNIT}`;

export function peerUrl(address: string): string {
  return `https://${address}:${ETCD_PEER_PORT}`;
}

export function clientUrl(address: string): string {
  return `https://${address}:${ETCD_CLIENT_PORT}`;
}
