import type { Cluster, ClusterHost } from '../../../../cluster/types.js';
import { HAPROXY_MONITOR_PORT } from '../../vrrp/render/haproxy.js';
import { renderKeepalivedConfig } from '../../vrrp/render/keepalived.js';

export { SCRIPT_USER } from '../../vrrp/render/keepalived.js';

export { KEEPALIVED_CONFIG_PATH } from '../../vrrp/render/units.js';
export const CHECK_SCRIPT_PATH = '/usr/local/lib/kubewright/check-haproxy';

/** keepalived.conf of the service; see `renderKeepalivedConfig`. */
export function renderKeepalived(cluster: Cluster, host: ClusterHost, networkInterface: string): string {
  return renderKeepalivedConfig(cluster, host, networkInterface, CHECK_SCRIPT_PATH);
}

/** What keepalived asks every second, as user nobody. Needs bash and nothing else: curl is not on every host. */
export function renderCheckScript(): string {
  return `#!/bin/bash
# Written by Kubewright; keepalived runs it every second.
#   check-haproxy alive    succeeds when the local HAProxy answers
#   check-haproxy backend  succeeds when it has an API server that answers
exec 3<>/dev/tcp/127.0.0.1/${HAPROXY_MONITOR_PORT} || exit 1
printf 'GET /backend HTTP/1.0\\r\\n\\r\\n' >&3
read -r -t 1 _ status _ <&3 || exit 1
[[ $1 == alive || $status == 200 ]]
`;
}
