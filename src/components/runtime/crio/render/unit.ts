import { TOOL_PATH } from '../../../../hosts/shell.js';
import { crioDirectory } from '../paths.js';

/**
 * The unit of a bundle's CRI-O, after the one that its makers publish with their archives, for one release. Limits are theirs; what
 * it is given by the files in /etc/default and /etc/sysconfig it is not: its configuration is in cluster.yaml.
 */
export function renderCrioUnit(version: string): string {
  const programs = crioDirectory(version);
  return `# Written by Kubewright: CRI-O ${version}.
[Unit]
Description=CRI-O container runtime
Documentation=https://cri-o.io
Wants=network-online.target
After=network-online.target dbus.service local-fs.target
Before=kubelet.service

[Service]
Environment=PATH=${programs}:${TOOL_PATH}
ExecStart=${programs}/crio
ExecReload=/bin/kill -s HUP $MAINPID
Type=notify
Restart=always
RestartSec=5
LimitNOFILE=1048576
LimitNPROC=1048576
LimitCORE=infinity
TasksMax=infinity
OOMScoreAdjust=-999

[Install]
WantedBy=multi-user.target
`;
}

/** What such a unit says of itself; undefined for one of somebody else. */
export function versionOfUnit(text: string): string | undefined {
  return /^# Written by Kubewright: CRI-O (\S+)\.$/m.exec(text)?.[1];
}
