import { ENVIRONMENT_PATH, MARK } from './places.js';

/** What differs between one machine's service and another's. Paths are absolute. */
export interface ServiceUnit {
  /** Node. */
  node: string;
  /** Kubewright's program. */
  program: string;
  /** The embedded server's data. */
  stateDir: string;
  /** Name of the account that it runs as. */
  user: string;
}

/**
 * The unit of the embedded server with a worker. Pure.
 *
 * - `Type=notify`: it is up when the worker takes work. systemd's own `systemd-notify` tells that, a child of the service, hence
 *   `NotifyAccess=all`. The first start may fetch Temporal, or build it, hence half an hour.
 * - `KillMode=mixed`: the main process alone is told to end, and ends worker and server in their order.
 * - Nothing hides /home or /proc, or takes capabilities from root: keys and data lie in a home, and whether a recorded
 *   process still has the database open is read in /proc.
 * - Neither `ProtectKernelTunables=` nor `ProtectControlGroups=`: for them, systemd takes away what a container's manager has mounted
 *   over /proc/sys. The service would read the boot id of the machine below, and terminals that of the container: each would
 *   take the other for another machine (seen with systemd 252 below systemd-nspawn).
 * - V8 writes code into memory, so `MemoryDenyWriteExecute=` is not set.
 */
export function renderUnit({ node, program, stateDir, user }: ServiceUnit): string {
  return `# ${MARK} (kubewright server install-service), which replaces it: your changes go into a drop-in (systemctl edit kubewright).
[Unit]
Description=Kubewright: Temporal server and worker of this machine
Wants=network-online.target
After=network-online.target
StartLimitIntervalSec=0

[Service]
Type=notify
NotifyAccess=all
User=${specifiersEscaped(user)}
EnvironmentFile=-${ENVIRONMENT_PATH}
ExecStart=${quotedProgram(node)} ${[program, 'server', 'run', '--embedded', '--state-dir', stateDir].map(quotedArgument).join(' ')}
Restart=on-failure
RestartSec=5
TimeoutStartSec=30min
TimeoutStopSec=2min
WatchdogSec=3min
KillMode=mixed
UMask=0077
NoNewPrivileges=yes
PrivateTmp=yes
ProtectSystem=full
ProtectKernelModules=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
SystemCallArchitectures=native

[Install]
WantedBy=multi-user.target
`;
}

/** `%` begins a specifier in most of a unit's values, see systemd.unit(5). */
function specifiersEscaped(text: string): string {
  return text.replaceAll('%', '%%');
}

/** In double quotes, as systemd.syntax(7) reads them. */
function quotedProgram(path: string): string {
  return `"${specifiersEscaped(path.replaceAll('\\', '\\\\').replaceAll('"', '\\"'))}"`;
}

/** Variables are put into arguments, quoted or not, and never into the program's path: systemd.service(5). */
function quotedArgument(text: string): string {
  return quotedProgram(text.replaceAll('$', '$$$$'));
}
