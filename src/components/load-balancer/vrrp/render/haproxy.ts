import { apiServerPort } from '../../../../cluster/chosen-ports.js';
import { type Cluster, hostsOf } from '../../../../cluster/types.js';

/** What depends on how HAProxy is run. */
export interface HaproxyProcess {
  /** Lines of the section `global` besides the log, without indentation. */
  globals: readonly string[];
  /** Path of the script that keepalived asks with. */
  checkScript: string;
}

/** Loopback port on which the local HAProxy tells keepalived whether it has an API server that answers. */
export const HAPROXY_MONITOR_PORT = 8404;

/** Where it tells there which API servers it leads to: what health checks look at. Nothing can be changed there. */
export const HAPROXY_STATS_PATH = '/stats';

/**
 * The load balancer of the API servers, the same on every control plane.
 *
 * Two views of the same servers. `ready` follows /readyz and takes the connections. /readyz includes etcd, and an election
 * of etcd makes every server unready at once; then, and before RBAC answers for the first time, connections go to those
 * that `answer` HTTP at all. That is asked with /version: below 500 counts, because 401 and 403 are answers too.
 *
 * Sessions of a server that is marked down are ended, so that clients of a host without power reconnect after a second
 * instead of the 45 s of their own HTTP/2 health check. An election must not end them: API servers answer /readyz after
 * their own 2 s timeout for etcd at the latest, so a check waits 3 s for its answer and three in a row have to fail. A
 * server whose port is closed is down after 0.5 + 0.2 + 0.2 s, a host without power after 0.5 s more for each; in between
 * a connection that cannot be made is given to another server after 0.5 s (`option redispatch 1`).
 *
 * The 4 h are the kubelet's own limit for idle streams (streamingConnectionIdleTimeout): nothing that Kubernetes lets
 * live, watches and `kubectl exec` among it, is cut here. Whether the other end lives is asked by TCP keepalives on both
 * sides: the connections of a host that lost its power are gone after 30 + 3 x 10 s instead of those 4 h. (HAProxy 2.4.)
 */
export function renderHaproxyConfig(cluster: Cluster, { globals, checkScript }: HaproxyProcess): string {
  const servers = hostsOf(cluster, 'control-plane').map(
    (host) => `    server ${host.name} ${host.address}:${apiServerPort(cluster)}\n`,
  );
  return `# Written by Kubewright; the next install writes it anew.
global
    log stdout format raw local0 notice
${globals.map((line) => `    ${line}\n`).join('')}
defaults
    log global
    mode tcp
    option dontlognull
    option dontlog-normal
    option redispatch 1
    retries 3
    timeout connect 500ms
    timeout check 3s
    timeout client 4h
    timeout server 4h
    timeout tunnel 4h
    option clitcpka
    clitcpka-idle 30s
    clitcpka-intvl 10s
    clitcpka-cnt 3
    option srvtcpka
    srvtcpka-idle 30s
    srvtcpka-intvl 10s
    srvtcpka-cnt 3
    default-server check check-ssl verify none inter 500ms fastinter 200ms downinter 500ms fall 3 rise 1

frontend kubernetes-api
    bind *:${cluster.endpoint.port}
    use_backend answer if { nbsrv(ready) eq 0 }
    default_backend ready

backend ready
    balance leastconn
    option httpchk GET /readyz
    http-check expect status 200
    default-server on-marked-down shutdown-sessions
${servers.join('')}
backend answer
    balance leastconn
    option httpchk GET /version
    http-check expect rstatus ^[1-4]
${servers.join('')}
# keepalived asks here; see ${checkScript}.
frontend monitor
    mode http
    bind 127.0.0.1:${HAPROXY_MONITOR_PORT}
    timeout client 5s
    monitor-uri /backend
    monitor fail if { nbsrv(answer) eq 0 }
    stats uri ${HAPROXY_STATS_PATH}
    stats hide-version
`;
}
