import { type Cluster, type ClusterHost, hostsOf } from '../../../../cluster/types.js';
import { endpointSettings, preferredOrder } from '../endpoint.js';
import { EVENTS_PATH } from '../notify/places.js';
import { notifyOf } from '../notify/settings.js';

/** Whose rights the checks have. */
export const SCRIPT_USER = 'nobody';

/** By how much a host without an API server behind it lowers its priority: below that of every host that has one. */
const NO_BACKEND_WEIGHT = -100;
const HIGHEST_PRIORITY = 250;

/**
 * VRRP priority by the host's place among the control planes (`preferredOrder`), from 250 downwards. They differ widely because the wait before a
 * takeover does (RFC 5798, skew time): with equal ones all backups take the VIP at the same moment. All lie within 100 of
 * each other, so that `NO_BACKEND_WEIGHT` puts a host below all others.
 */
export function priorityOf(cluster: Cluster, host: ClusterHost): number {
  const order = preferredOrder(cluster);
  const step = order.length < 2 ? 0 : Math.min(40, Math.floor((-NO_BACKEND_WEIGHT - 1) / (order.length - 1)));
  return HIGHEST_PRIORITY - order.findIndex(({ name }) => name === host.name) * step;
}

/**
 * keepalived on one control plane. VRRP version 3, because it counts in centiseconds and has no passwords (those of
 * version 2 travel in clear); unicast, because many networks drop multicast.
 *
 * A VIP always has a holder: without a running HAProxy a host is in FAULT and cannot have it; without an API server that
 * answers it only stands back, for before the first `kubeadm init` no host has one. A host with a higher priority takes
 * the VIP from its holder (no `nopreempt`): else a holder that lost its API servers would keep it for ever. The price is
 * that the VIP moves back once when the first host returns. It waits for that (`preempt_delay`), because the hosts' checks
 * see the first API server appear one after the other; a holder that is silent, or gives up, is replaced at once.
 *
 * Scripts and not `track_process`: that needs the kernel's process connector, which containers do not have, and stays in
 * FAULT without it.
 *
 * @param networkInterface the card that carries the host's address
 * @param checkScript path of the script that asks the local HAProxy, by `alive` or `backend`
 */
export function renderKeepalivedConfig(
  cluster: Cluster,
  host: ClusterHost,
  networkInterface: string,
  checkScript: string,
): string {
  const { vip, virtualRouterId, advertIntervalMs } = endpointSettings(cluster);
  const controlPlanes = hostsOf(cluster, 'control-plane');
  const peers = controlPlanes.filter(({ name }) => name !== host.name);
  return `# Written by Kubewright; the next install writes it anew.
global_defs {
    router_id ${host.name}
    vrrp_version 3
    vrrp_garp_master_delay 1
    vrrp_garp_master_repeat 3
    vrrp_garp_master_refresh 10
    vrrp_garp_lower_prio_repeat 3
    # A host that is too busy to advertise loses the VIP.
    vrrp_priority -20
    script_user ${SCRIPT_USER}
    enable_script_security
${notifyOf(cluster) === undefined ? '' : `    # Written to without waiting: whoever reads there cannot hold keepalived up.\n    vrrp_notify_fifo ${EVENTS_PATH}\n`}}

${renderScript('haproxy_alive', `${checkScript} alive`)}
${renderScript('api_server_behind', `${checkScript} backend`)}
vrrp_instance kubernetes_api {
    state BACKUP
    interface ${networkInterface}
    virtual_router_id ${virtualRouterId}
    priority ${priorityOf(cluster, host)}
    advert_int ${advertIntervalMs / 1000}
    preempt_delay 5
${peers.length === 0 ? '' : renderUnicast(host, peers)}    virtual_ipaddress {
        ${vip}/32
    }
    track_script {
        haproxy_alive
        api_server_behind weight ${NO_BACKEND_WEIGHT}
    }
}
`;
}

/** Intervals are whole seconds in keepalived 2.2. Two failures in a row: one is a restart of HAProxy or a busy host. */
function renderScript(name: string, command: string): string {
  return `vrrp_script ${name} {
    script "${command}"
    interval 1
    timeout 2
    fall 2
    rise 1
}
`;
}

function renderUnicast(host: ClusterHost, peers: ClusterHost[]): string {
  return `    unicast_src_ip ${host.address}
    unicast_peer {
${peers.map(({ address }) => `        ${address}\n`).join('')}    }
`;
}
