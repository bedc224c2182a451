import { apiServerPort } from '../../../../cluster/chosen-ports.js';
import { type Cluster, type ClusterHost, hostsOf } from '../../../../cluster/types.js';
import { endpointSettings } from '../../vrrp/endpoint.js';

const HIGHEST_PRIORITY = 250;

/**
 * By how much the VRRP priority of a director is below that of the one before it in cluster.yaml. Widely, because the wait
 * before a takeover differs with it (RFC 5798, skew time): with equal ones all take the VIP at the same moment.
 */
const PRIORITY_STEP = 40;

/**
 * keepalived.conf of a director: VRRP moves the virtual IP between the directors, and IPVS in the kernel of whoever has it
 * passes connections on to the API servers, by direct routing: the packet keeps its addresses and its port and is handed to
 * the control plane's hardware address, and the answer goes straight to the client. So the virtual server's port is the API
 * server's, and every control plane has the virtual IP, silently (see `renderRealServer`).
 *
 * Nobody preempts: a director that returns knows only the connections that were active since. Whoever has the virtual IP
 * keeps it.
 *
 * Each API server is asked in two ways, by its own address, and is in the table while both are content (`alpha`: not before
 * they were). A connection shows what has no power and where nobody listens: at worst 0.5 s to the next look, and two
 * tries of 0.8 s with 0.2 s between them, which is 2.3 s. /readyz shows a server that listens and is of no use, as without
 * its etcd. It is patient, for an election of etcd makes every server unready for a second or two, and a table without
 * servers ends every connection. 401 counts: with `--anonymous-auth=false` that is all that a ready server says. 403 does
 * not: it is what one says before it has read its own rules.
 *
 * A server that fails is taken out of the table (no `inhibit_on_failure`), which ends its connections: see
 * `net.ipv4.vs.expire_nodest_conn` among the directors' kernel settings. Round robin and not least connections: a server that
 * refuses connections until it is taken out has the fewest, and would get every new one.
 *
 * @param networkInterface the card that carries the host's address
 */
export function renderDirector(cluster: Cluster, host: ClusterHost, networkInterface: string): string {
  const { vip, virtualRouterId, advertIntervalMs } = endpointSettings(cluster);
  const directors = hostsOf(cluster, 'director');
  const place = directors.findIndex(({ name }) => name === host.name);
  const peers = directors.filter(({ name }) => name !== host.name);
  const { port } = cluster.endpoint;
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
    checker_priority -20
${peers.length === 0 ? '' : renderSync(networkInterface, virtualRouterId)}}

vrrp_instance kubernetes_api {
    state BACKUP
    interface ${networkInterface}
    virtual_router_id ${virtualRouterId}
    priority ${Math.max(1, HIGHEST_PRIORITY - place * PRIORITY_STEP)}
    advert_int ${advertIntervalMs / 1000}
    nopreempt
${peers.length === 0 ? '' : renderUnicast(host, peers)}    virtual_ipaddress {
        ${vip}/32
    }
}

virtual_server ${vip} ${port} {
    lvs_sched rr
    lvs_method DR
    protocol TCP
    alpha
    delay_loop 1
${hostsOf(cluster, 'control-plane')
  .map(({ address }) => renderRealServer(address, apiServerPort(cluster)))
  .join('')}}
`;
}

/**
 * Connections are told to the other directors, so that they go on when one of these takes the virtual IP. Without the name of
 * a VRRP instance every director tells and listens all the time (keepalived.conf(5)). With one, keepalived ends and starts the
 * kernel's two daemons whenever the virtual IP moves, and one hung there: it kept the virtual IP and advertised no more.
 */
function renderSync(networkInterface: string, id: number): string {
  return `    lvs_sync_daemon ${networkInterface} id ${id}\n`;
}

function renderUnicast(host: ClusterHost, peers: ClusterHost[]): string {
  return `    unicast_src_ip ${host.address}
    unicast_peer {
${peers.map(({ address }) => `        ${address}\n`).join('')}    }
`;
}

/** `warmup 0`: else the first look at each server waits for a moment that is left to chance. */
function renderRealServer(address: string, port: number): string {
  return `    real_server ${address} ${port} {
        weight 1
        TCP_CHECK {
            delay_loop 0.5
            connect_timeout 0.8
            retry 1
            delay_before_retry 0.2
            warmup 0
        }
        SSL_GET {
            url {
                path /readyz
                status_code 200 401
            }
            delay_loop 1
            connect_timeout 3
            retry 2
            delay_before_retry 1
            warmup 0
        }
    }
`;
}
