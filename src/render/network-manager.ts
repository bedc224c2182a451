import { loadedConfigPath } from './loaded-config.js';

/** Read by NetworkManager wherever it runs; see NetworkManager.conf(5). */
export const NETWORK_MANAGER_PATH = '/etc/NetworkManager/conf.d/90-kubewright.conf';

/** Interfaces that CNI plugins and kube-proxy make: of the bridge, flannel, Calico and Cilium, and of kube-proxy's IPVS. */
const INTERFACES = ['cni0', 'veth*', 'flannel*', 'cali*', 'tunl*', 'vxlan.calico', 'cilium*', 'lxc*', 'kube-ipvs0'];

/**
 * Has NetworkManager leave the pods' interfaces alone: it would take addresses and routes away that it did not set. `+=`, for an
 * earlier file (of Ubuntu, netplan or an administrator) may name others, and `=` would give it those (NetworkManager.conf(5)).
 */
export function renderNetworkManager(): string {
  const unmanaged = INTERFACES.map((name) => `interface-name:${name}`).join(';');
  return `# Written by Kubewright: interfaces of pods and services are not NetworkManager's.
[keyfile]
unmanaged-devices+=${unmanaged}
`;
}

/** Has a running NetworkManager read its configuration anew, and records that it did. */
export const RELOAD_NETWORK_MANAGER = `set -e
nmcli general reload conf || systemctl reload NetworkManager.service
mkdir -p ${loadedConfigPath('NetworkManager').replace(/\/[^/]*$/, '')}
sha256sum <${NETWORK_MANAGER_PATH} >${loadedConfigPath('NetworkManager')}
`;

/**
 * Bash function for facts: succeeds where the NetworkManager that runs has read our file as it is, because it was told to, or
 * because it was started after the file was written (at a boot, which forgets that it was told).
 */
export const HAS_READ_FILE = `has_read_file() {
  local started
  [ "$(cut -c 1-64 ${loadedConfigPath('NetworkManager')})" != "$(digest ${NETWORK_MANAGER_PATH})" ] || return 0
  started=$(date -d "$(systemctl show -p ExecMainStartTimestamp --value NetworkManager.service)" +%s) || return
  [ "$(stat -c %Y ${NETWORK_MANAGER_PATH})" -lt "$started" ]
}
`;
