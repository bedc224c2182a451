import { TOOL_PATH } from '../../../../hosts/shell.js';
import { HAPROXY_CONFIG_PATH } from './haproxy.js';
import { KEEPALIVED_CONFIG_PATH } from './keepalived.js';

export type Service = 'haproxy' | 'keepalived';

/** The unit of a bundle's program. In /etc it goes before the one of a package. */
export function unitPath(service: Service): string {
  return `/etc/systemd/system/${service}.service`;
}

/** Account whose rights HAProxy takes on when it has its ports, as Debian's package makes it (sysusers.d(5)). */
export const ACCOUNT_PATH = '/etc/sysusers.d/kubewright-haproxy.conf';
export const ACCOUNT = 'haproxy';

export function renderAccount(): string {
  return `# Written by Kubewright.\nu ${ACCOUNT} - "HAProxy" /var/lib/haproxy\n`;
}

/** How a unit of these begins. */
export const FIRST_LINE = '# Written by Kubewright: ';

/** Whether a unit is one of these. */
export function isOurUnit(text: string): boolean {
  return text.startsWith(FIRST_LINE);
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

/**
 * keepalived as its own unit has it (keepalived.service.in): stopped, it gives its addresses up by itself, so only its main
 * process is told to end.
 *
 * @param directory of the release
 */
export function renderKeepalivedUnit(directory: string): string {
  return `${FIRST_LINE}keepalived of ${directory}.
[Unit]
Description=keepalived (VRRP)
Documentation=https://keepalived.org
After=network-online.target
Wants=network-online.target

[Service]
Type=notify
NotifyAccess=all
Environment=PATH=${TOOL_PATH}
ExecStart=${directory}/keepalived --dont-fork --use-file=${KEEPALIVED_CONFIG_PATH}
ExecReload=/bin/kill -HUP $MAINPID
KillMode=process

[Install]
WantedBy=multi-user.target
`;
}
