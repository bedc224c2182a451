import { TOOL_PATH } from '../../../../hosts/shell.js';

export const KEEPALIVED_CONFIG_PATH = '/etc/keepalived/keepalived.conf';

/** The unit of a bundle's program. In /etc it goes before the one of a package. */
export function unitPath(service: string): string {
  return `/etc/systemd/system/${service}.service`;
}

/** How a unit of these begins. */
export const FIRST_LINE = '# Written by Kubewright: ';

/** Whether a unit is one of these. */
export function isOurUnit(text: string): boolean {
  return text.startsWith(FIRST_LINE);
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
