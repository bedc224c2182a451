import { recordLoadedConfig } from './loaded-config.js';

export const KUBELET_UNIT_PATH = '/etc/systemd/system/kubelet.service';
export const KUBELET_DROP_IN_PATH = '/etc/systemd/system/kubelet.service.d/10-kubeadm.conf';

/** Where the programs of a bundle are found: links to the release that is in use. */
export const BINARY_DIRECTORY = '/usr/local/bin';
/** Where packages have theirs. */
export const PACKAGE_DIRECTORY = '/usr/bin';
export const CNI_BINARY_DIRECTORY = '/opt/cni/bin';

/**
 * The kubelet's unit, as in Kubernetes' own packages (kubernetes/release, cmd/krel/templates/latest/kubelet), with the
 * binary where a bundle puts it. It restarts for ever, because before kubeadm has run there is no configuration. Unlike
 * theirs it waits for the container runtime: at boot it would come first, fail, and come again ten seconds later.
 *
 * @param runtimeUnit such as `containerd.service`
 * @param directory where the program is found; a bundle's unless said otherwise
 */
export function renderKubeletUnit(runtimeUnit: string, directory: string = BINARY_DIRECTORY): string {
  return `# Written by Kubewright.
[Unit]
Description=kubelet: The Kubernetes Node Agent
Documentation=https://kubernetes.io/docs/
Wants=network-online.target
After=network-online.target ${runtimeUnit}

[Service]
ExecStart=${directory}/kubelet
Restart=always
StartLimitInterval=0
RestartSec=10

[Install]
WantedBy=multi-user.target
`;
}

/**
 * kubeadm's drop-in: the arguments that kubeadm and the node's owner give. `KUBELET_EXTRA_ARGS` from /etc/default/kubelet
 * comes last and wins. At each start it records which unit and drop-in the kubelet was started with, so that one that was
 * started before they were replaced is told apart.
 */
export function renderKubeletDropIn(directory: string = BINARY_DIRECTORY): string {
  return `# Written by Kubewright, as kubeadm expects it.
[Service]
Environment="KUBELET_KUBECONFIG_ARGS=--bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf --kubeconfig=/etc/kubernetes/kubelet.conf"
Environment="KUBELET_CONFIG_ARGS=--config=/var/lib/kubelet/config.yaml"
EnvironmentFile=-/var/lib/kubelet/kubeadm-flags.env
EnvironmentFile=-/etc/default/kubelet
ExecStartPre=${recordLoadedConfig('kubelet', KUBELET_UNIT_PATH, KUBELET_DROP_IN_PATH)}
ExecStart=
ExecStart=${directory}/kubelet $KUBELET_KUBECONFIG_ARGS $KUBELET_CONFIG_ARGS $KUBELET_KUBEADM_ARGS $KUBELET_EXTRA_ARGS
`;
}
