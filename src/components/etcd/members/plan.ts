import { type Cluster, hostsOf, type Role } from '../../../cluster/types.js';
import { clusterStep } from '../../../plan/step.js';
import { PKI_DIRECTORY } from '../../../render/kubeadm-paths.js';
import { between } from '../../flows.js';
import { folders, type Leftover, paths } from '../../leftovers.js';
import type { Etcd } from '../../types.js';
import { ETCD_CLIENT_PORT, ETCD_DATA_DIRECTORY, ETCD_METRICS_PORT, ETCD_PEER_PORT } from './places.js';

/** kubeadm's own names, whichever of its commands has made the member. */
const LEAVES: Leftover[] = [
  ...paths('kubeadm', 'node', [`${ETCD_DATA_DIRECTORY}/member`], 'reset'),
  ...paths('kubeadm', 'trace', [`${PKI_DIRECTORY}/etcd/{ca,server,peer,healthcheck-client}.{crt,key}`], 'reset'),
  { kind: 'content', name: ETCD_DATA_DIRECTORY, by: 'etcd', means: 'trace', cleanUp: 'empty' },
  ...folders('etcd', [ETCD_DATA_DIRECTORY]),
];

const PORTS = [
  { port: ETCD_CLIENT_PORT, use: 'etcd (clients)' },
  { port: ETCD_PEER_PORT, use: 'etcd (peers)' },
  { port: ETCD_METRICS_PORT, use: 'etcd (metrics)' },
];

/** What members of etcd are alike in, wherever they run; and how they are as kubeadm makes them. */
export function membersOn(
  memberRole: Role,
): Pick<
  Etcd,
  | 'memberRole'
  | 'byKubeadm'
  | 'inPods'
  | 'pki'
  | 'dataDirectory'
  | 'certificates'
  | 'account'
  | 'programs'
  | 'drilled'
  | 'log'
  | 'fixedPorts'
  | 'listeners'
  | 'flows'
  | 'kernelFeatures'
  | 'sysctls'
  | 'packages'
  | 'services'
  | 'replaces'
  | 'leaves'
  | 'verify'
> {
  return {
    memberRole,
    byKubeadm: true,
    inPods: true,
    pki: PKI_DIRECTORY,
    dataDirectory: ETCD_DATA_DIRECTORY,
    certificates: () => ({ validityDays: null, names: [] }),
    account: null,
    programs: [],
    drilled: { container: 'etcd' },
    log: '`crictl ps -a`, `crictl logs`',
    // Also where no member is on a control plane: there its clients are looked for.
    fixedPorts: PORTS,
    listeners: (_, role) =>
      role === memberRole ? PORTS.map((each) => ({ protocol: 'tcp', process: 'etcd', ...each })) : [],
    flows: (cluster) => flowsOf(cluster, memberRole),
    kernelFeatures: () => [],
    sysctls: () => ({}),
    packages: () => ({ install: [], hold: [] }),
    services: [],
    replaces: [],
    leaves: LEAVES,
    verify: (_, joined) => [
      clusterStep('etcd', {
        phase: 'verify',
        action: 'verifyEtcdCluster',
        title: 'Verify that every etcd member is a healthy voter',
        needs: joined,
      }),
    ],
  };
}

function flowsOf(cluster: Cluster, memberRole: Role) {
  const controlPlanes = hostsOf(cluster, 'control-plane');
  const members = hostsOf(cluster, memberRole);
  const clients = { protocol: 'tcp', port: ETCD_CLIENT_PORT, use: 'etcd clients' } as const;
  return [
    ...between(controlPlanes, members, clients),
    // etcdctl on one member's host asks the others; where members are on control planes these are the same pairs as above.
    ...(memberRole === 'control-plane' ? [] : between(members, members, clients)),
    ...between(members, members, { protocol: 'tcp', port: ETCD_PEER_PORT, use: 'etcd peers' }),
  ];
}
