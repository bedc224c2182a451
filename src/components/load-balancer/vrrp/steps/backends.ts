import { onEachHost } from '../../../../activities/each-host.js';
import { kubectl } from '../../../../activities/kubeadm/control-plane.js';
import type { Facts } from '../../../../activities/remote-facts.js';
import type { StepContext } from '../../../../activities/types.js';
import { type Cluster, type ClusterHost, hostsOf } from '../../../../cluster/types.js';
import { viewOf } from '../../view.js';
import { HAPROXY_MONITOR_PORT, HAPROXY_STATS_PATH } from '../render/haproxy.js';

/** One API server as one balancer sees it. */
interface Backend {
  name: string;
  /** HAProxy's word, such as UP, DOWN, "UP 1/3", or "no check". */
  status: string;
  /** Outcome of its last check: L7OK, L4CON, L4TOUT, L7STS. */
  check: string;
}

interface BalancerView {
  host: ClusterHost;
  /** Whether its own API server says that it is ready. */
  ready: boolean;
  backends: Backend[];
}

/**
 * API servers that are ready and that the HAProxy of a control plane does not lead to: nobody notices while that host does not have the
 * virtual IP, and when it takes it over, fewer servers than there are take all connections, or none does. A server that is not ready is
 * down for all balancers, as it should be, and a finding of its own.
 *
 * A HAProxy whose configuration is of an earlier version tells nothing, and nothing is said of it.
 */
export async function backendFaults(context: StepContext): Promise<string[]> {
  const { cluster } = context;
  const views = await onEachHost(hostsOf(cluster, 'control-plane'), async (host) => {
    const { facts } = await viewOf(context, host, script(cluster, host));
    return facts === undefined ? [] : [viewIn(host, facts)];
  });
  return faultsIn(views.flat());
}

/** Bash. By HTTP, for a host may lack what speaks to the socket of HAProxy's commands. */
function script(cluster: Cluster, host: ClusterHost): string {
  return `backends() {
  exec 3<>/dev/tcp/127.0.0.1/${HAPROXY_MONITOR_PORT} || return
  printf 'GET ${HAPROXY_STATS_PATH};csv HTTP/1.0\\r\\n\\r\\n' >&3
  timeout 5 cat <&3 | awk -F , '
    /^# pxname/ {for (at = 1; at <= NF; at++) column[$at] = at}
    $1 == "ready" && column["status"] && $2 !~ /^(FRONTEND|BACKEND)$/ {
      status = $column["status"]; gsub(/ /, "_", status)
      print $2, status, $column["check_status"]
    }'
}
fact ready ${kubectl(cluster, host)} get --raw /readyz
fact backends backends`;
}

function viewIn(host: ClusterHost, facts: Facts): BalancerView {
  const lines = facts.text('backends').split('\n').filter(Boolean);
  const backends = lines.map((line): Backend => {
    const [name = '', status = '', check = ''] = line.split(' ');
    return { name, status: status.replaceAll('_', ' '), check };
  });
  return { host, ready: facts.text('ready') === 'ok', backends };
}

/** One sentence for each balancer that leads past a ready server. Pure. */
function faultsIn(views: BalancerView[]): string[] {
  const ready = new Set(views.filter((view) => view.ready).map(({ host }) => host.name));
  return views.flatMap(({ host, backends }) => {
    const past = backends.filter(({ name, status }) => status.startsWith('DOWN') && ready.has(name));
    if (past.length === 0) return [];
    const servers = past.map(({ name, check }) => (check === '' ? name : `${name} (${check})`)).join(', ');
    return [`HAProxy of ${host.name} does not lead to ${servers}, though the API server there is ready`];
  });
}
