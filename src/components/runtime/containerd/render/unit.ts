import { TOOL_PATH } from '../../../../hosts/shell.js';
import { type RuntimeVersions, runtimeDirectories } from '../paths.js';

/**
 * The unit of a bundle's containerd, after the one that containerd publishes (containerd.service in its repository), for one
 * release of it and of runc: containerd finds its shim and runc on its PATH, and a pod that starts while another release is
 * being put there must not get half of each. Like theirs it leaves pods alone when containerd stops (KillMode=process), and
 * sets no LimitNOFILE: containerd 2 dropped it, for every container inherited it.
 */
export function renderContainerdUnit(versions: RuntimeVersions): string {
  const { containerd, runc } = runtimeDirectories(versions);
  return `# Written by Kubewright: containerd ${versions.containerd}, runc ${versions.runc}.
[Unit]
Description=containerd container runtime
Documentation=https://containerd.io
After=network.target dbus.service local-fs.target

[Service]
Environment=PATH=${containerd}:${runc}:${TOOL_PATH}
ExecStart=${containerd}/containerd
Type=notify
Delegate=yes
KillMode=process
Restart=always
RestartSec=5
LimitNPROC=infinity
LimitCORE=infinity
TasksMax=infinity
OOMScoreAdjust=-999

[Install]
WantedBy=multi-user.target
`;
}

/** What such a unit says of itself; undefined for one of somebody else. */
export function versionsOfUnit(text: string): RuntimeVersions | undefined {
  const [, containerd, runc] = /^# Written by Kubewright: containerd (\S+), runc (\S+)\.$/m.exec(text) ?? [];
  return containerd !== undefined && runc !== undefined ? { containerd, runc } : undefined;
}
