import type { Cluster, ClusterHost } from '../../../../cluster/types.js';
import { BINARY_DIRECTORY } from '../../../../render/kubelet-unit.js';
import { recordLoadedConfig } from '../../../../render/loaded-config.js';
import { initialMember } from '../../external/render/member.js';
import { clientUrl, ETCD_METRICS_PORT, ETCD_UNIT_PATH, peerUrl } from '../../members/places.js';
import { ACCOUNT, DATA_DIRECTORY, ENVIRONMENT_PATH, PKI, SERVICE } from '../paths.js';

/** The member's program, whichever release of it is in use. */
export const PROGRAM = `${BINARY_DIRECTORY}/etcd`;

/**
 * The unit of one member. It follows from cluster.yaml alone: what the member is begun with is in a file of its own.
 *
 * `notify`: etcd tells systemd that it is ready when it has joined its cluster, which takes a quorum. The first members of a
 * cluster, and all of them after a power cut, wait for each other, so the start has no end.
 */
export function renderUnit(cluster: Cluster, host: ClusterHost): string {
  const flags = flagsOf(cluster, host).map(({ name, value }) => word(`--${name}=${value}`));
  return `# Written by Kubewright: this host's member of the etcd of ${cluster.name}.
[Unit]
Description=etcd of the Kubernetes cluster ${cluster.name}
Documentation=https://etcd.io/docs
Wants=network-online.target
After=network-online.target
RequiresMountsFor=${DATA_DIRECTORY}
StartLimitIntervalSec=0

[Service]
Type=notify
TimeoutStartSec=infinity
Restart=always
RestartSec=5
User=${ACCOUNT}
Group=${ACCOUNT}
UMask=0077
LimitNOFILE=65536
OOMScoreAdjust=-997
EnvironmentFile=${ENVIRONMENT_PATH}
ExecStartPre=+${recordLoadedConfig(SERVICE, ETCD_UNIT_PATH)}
ExecStart=${PROGRAM} ${flags.join(' \\\n  ')}
${HARDENING}
[Install]
WantedBy=multi-user.target
`;
}

/** It needs the network and its data, and nothing else of the host. */
const HARDENING = `NoNewPrivileges=yes
CapabilityBoundingSet=
ProtectSystem=strict
ReadWritePaths=${DATA_DIRECTORY}
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
`;

/** As kubeadm's static pods have them (phases/etcd/local.go from 1.34 on); a flag of the user takes the place of ours. */
function flagsOf({ etcd }: Cluster, { name, address }: ClusterHost): { name: string; value: string }[] {
  const own = Object.entries({
    name,
    'data-dir': DATA_DIRECTORY,
    'listen-client-urls': `${clientUrl('127.0.0.1')},${clientUrl(address)}`,
    'advertise-client-urls': clientUrl(address),
    'listen-peer-urls': peerUrl(address),
    'initial-advertise-peer-urls': peerUrl(address),
    'listen-metrics-urls': `http://127.0.0.1:${ETCD_METRICS_PORT}`,
    'cert-file': `${PKI}/etcd/server.crt`,
    'key-file': `${PKI}/etcd/server.key`,
    'trusted-ca-file': `${PKI}/etcd/ca.crt`,
    'client-cert-auth': 'true',
    'peer-cert-file': `${PKI}/etcd/peer.crt`,
    'peer-key-file': `${PKI}/etcd/peer.key`,
    'peer-trusted-ca-file': `${PKI}/etcd/ca.crt`,
    'peer-client-cert-auth': 'true',
    'snapshot-count': '10000',
    'feature-gates': 'InitialCorruptCheck=true',
    'watch-progress-notify-interval': '5s',
  }).map(([flag, value]) => ({ name: flag, value }));
  const theirs = new Set(etcd.extraArgs.map((flag) => flag.name));
  return [...own.filter((flag) => !theirs.has(flag.name)), ...etcd.extraArgs];
}

/** One word of a command line, as systemd.service(5) and systemd.syntax(7) read it. */
function word(text: string): string {
  const plain = text.replaceAll('%', '%%').replaceAll('$', '$$$$');
  if (/^[\w./:,=%$@+-]*$/.test(plain)) return plain;
  return `"${plain.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`;
}

export interface Beginning {
  /** Members of the cluster that it starts with or joins, itself among them. */
  members: Pick<ClusterHost, 'name' | 'address'>[];
  /** `existing` for a member that was announced to a living cluster. */
  state: 'new' | 'existing';
}

/** What a member is begun with. etcd looks at it only when its data is empty. */
export function renderEnvironment(cluster: Cluster, { members, state }: Beginning): string {
  return `# Written by Kubewright. etcd reads it when it has no data yet, and never again.
ETCD_INITIAL_CLUSTER=${members.map(initialMember).join(',')}
ETCD_INITIAL_CLUSTER_STATE=${state}
ETCD_INITIAL_CLUSTER_TOKEN=${cluster.name}
`;
}
