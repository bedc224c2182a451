import { FIRST_LINE } from '../../vrrp/render/units.js';
import { HAPROXY_CONFIG_PATH } from './haproxy.js';

export { FIRST_LINE, isOurUnit, renderKeepalivedUnit, unitPath } from '../../vrrp/render/units.js';

export type Service = 'haproxy' | 'keepalived';

/** Account whose rights HAProxy takes on when it has its ports, as Debian's package makes it (sysusers.d(5)). */
export const ACCOUNT_PATH = '/etc/sysusers.d/kubewright-haproxy.conf';
export const ACCOUNT = 'haproxy';

export function renderAccount(): string {
  return `# Written by Kubewright.\nu ${ACCOUNT} - "HAProxy" /var/lib/haproxy\n`;
}

/**
 * HAProxy under its master process (-Ws), which takes a new configuration without ending a connection (management.txt of
 * HAProxy, chapters 3 and 4). A configuration that it refuses stops the reload and not what runs.
 *
 * @param directory of the release
 */
export function renderHaproxyUnit(directory: string): string {
  return `${FIRST_LINE}HAProxy of ${directory}.
[Unit]
Description=HAProxy load balancer
Documentation=https://docs.haproxy.org
After=network-online.target
Wants=network-online.target

[Service]
Type=notify
ExecStart=${directory}/haproxy -Ws -f ${HAPROXY_CONFIG_PATH} -p /run/haproxy.pid
ExecReload=${directory}/haproxy -c -q -f ${HAPROXY_CONFIG_PATH}
ExecReload=/bin/kill -USR2 $MAINPID
KillMode=mixed
SuccessExitStatus=143
StateDirectory=haproxy
RuntimeDirectory=haproxy

[Install]
WantedBy=multi-user.target
`;
}
