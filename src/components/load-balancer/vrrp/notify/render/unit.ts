import { TOOL_PATH } from '../../../../../hosts/shell.js';
import { recordLoadedConfig } from '../../../../../render/loaded-config.js';
import { EVENTS_PATH, HOLDER_PATH, NOTIFIER_PATH, NOTIFIER_SERVICE } from '../places.js';

/** How the unit begins. */
export const NOTIFIER_FIRST_LINE = '# Written by Kubewright: tells who holds the virtual IP.';

const directoryOf = (path: string): string => path.slice(0, path.lastIndexOf('/'));

/**
 * The pipe is there before keepalived looks for it, which otherwise makes one of its own and takes it away when it ends. What is
 * written while nobody reads is kept by the pipe.
 */
export function renderNotifierUnit(): string {
  return `${NOTIFIER_FIRST_LINE}
[Unit]
Description=Tells who holds the virtual IP of the Kubernetes API
After=network-online.target
Wants=network-online.target
Before=keepalived.service
StartLimitIntervalSec=0

[Service]
Environment=PATH=${TOOL_PATH}
ExecStartPre=/bin/sh -c 'mkdir -p ${directoryOf(EVENTS_PATH)} ${directoryOf(HOLDER_PATH)} && { [ -p ${EVENTS_PATH} ] || { rm -f ${EVENTS_PATH}; mkfifo -m 600 ${EVENTS_PATH}; }; }'
ExecStartPre=${recordLoadedConfig(NOTIFIER_SERVICE, NOTIFIER_PATH)}
ExecStart=${NOTIFIER_PATH}
Restart=always
RestartSec=1
TasksMax=128
SyslogIdentifier=${NOTIFIER_SERVICE}

[Install]
WantedBy=multi-user.target
`;
}
