import type { Cluster } from '../../../../cluster/types.js';
import { renderHaproxyConfig } from '../../vrrp/render/haproxy.js';
import { CHECK_SCRIPT_PATH } from './keepalived.js';

export { HAPROXY_MONITOR_PORT } from '../../vrrp/render/haproxy.js';

export const HAPROXY_CONFIG_PATH = '/etc/haproxy/haproxy.cfg';

/** As Debian's package runs it: a service that gives its rights up when it has its ports. */
const GLOBALS = [
  'stats socket /run/haproxy/admin.sock mode 660 level admin',
  'stats timeout 30s',
  'chroot /var/lib/haproxy',
  'user haproxy',
  'group haproxy',
];

/** haproxy.cfg of the service. */
export function renderHaproxy(cluster: Cluster): string {
  return renderHaproxyConfig(cluster, { globals: GLOBALS, checkScript: CHECK_SCRIPT_PATH });
}
