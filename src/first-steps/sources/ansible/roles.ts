import type { DraftRole } from '../../draft.js';
import type { LeftOut } from '../../left-out.js';
import type { Inventory } from './inventory.js';

/** Names that people and installers give to groups, with `_` for `-`. */
const CONTROL_PLANES = [
  ...[
    'kube_control_plane',
    'kube_control_planes',
    'kube_controlplane',
    'control_plane',
    'control_planes',
    'controlplane',
  ],
  ...[
    'controlplanes',
    'kube_master',
    'kube_masters',
    'master',
    'masters',
    'k8s_master',
    'k8s_masters',
    'k8s_control_plane',
  ],
  ...[
    'controller',
    'controllers',
    'kube_controller',
    'kube_controllers',
    'control',
    'server',
    'servers',
    'manager',
    'managers',
  ],
];
const WORKERS = [
  ...['kube_node', 'kube_nodes', 'kube_worker', 'kube_workers', 'worker', 'workers', 'worker_node', 'worker_nodes'],
  ...['k8s_worker', 'k8s_workers', 'k8s_node', 'k8s_nodes', 'compute', 'computes'],
];
/** In these a control plane is a node like every other one, and not one that takes ordinary pods. */
const NODES = ['node', 'nodes', 'agent', 'agents', 'minion', 'minions'];
const ETCDS = ['etcd', 'etcds', 'etcd_node', 'etcd_nodes', 'etcd_cluster', 'etcd_server', 'etcd_servers'];
const BASTIONS = ['bastion', 'bastions', 'jump', 'jumphost', 'jump_host'];

export interface HostRole {
  role: DraftRole;
  runsPods: boolean;
}

export interface Roles {
  /** In the order in which the control planes, the workers and the etcd hosts stand in their groups. */
  hosts: Map<string, HostRole>;
  bastion: string | undefined;
}

/** What each host of an inventory is, by the groups that it is in. Hosts without a role, and etcd where it cannot be, are told. */
export function rolesOf(inventory: Inventory, leftOut: LeftOut): Roles {
  const members = (names: string[]): Set<string> => {
    const groups = inventory.groups.filter((group) => names.includes(group.toLowerCase().replaceAll('-', '_')));
    return new Set(groups.flatMap((group) => [...inventory.hostsOf(group)]));
  };
  const [controlPlanes, workers, etcds] = [members(CONTROL_PLANES), members(WORKERS), members(ETCDS)];
  const hosts = new Map<string, HostRole>();
  for (const host of controlPlanes) hosts.set(host, { role: 'control-plane', runsPods: workers.has(host) });
  for (const host of [...workers, ...members(NODES)]) {
    if (!hosts.has(host)) hosts.set(host, { role: 'worker', runsPods: true });
  }
  addEtcds(hosts, etcds, controlPlanes, leftOut);
  const [bastion] = members(BASTIONS);
  for (const host of inventory.hosts) {
    if (hosts.has(host) || host === bastion) continue;
    leftOut.add('the host', 'it is in no group of control planes, workers or etcd', host);
  }
  return { hosts, bastion: bastion !== undefined && !hosts.has(bastion) ? bastion : undefined };
}

/** etcd is on the control planes, all of them and nowhere else, or on hosts that are nothing else. */
function addEtcds(
  hosts: Map<string, HostRole>,
  etcds: Set<string>,
  controlPlanes: Set<string>,
  leftOut: LeftOut,
): void {
  const elsewhere = [...etcds].filter((host) => !controlPlanes.has(host));
  if (elsewhere.length === 0) {
    const without = etcds.size === 0 ? [] : [...controlPlanes].filter((host) => !etcds.has(host));
    for (const host of without) {
      leftOut.add(
        'a control plane without etcd',
        'each control plane has a member, unless etcd has hosts of its own',
        host,
      );
    }
    return;
  }
  const isApart = elsewhere.length === etcds.size && elsewhere.every((host) => !hosts.has(host));
  for (const host of elsewhere) {
    if (isApart) hosts.set(host, { role: 'etcd', runsPods: false });
    else leftOut.add('etcd', 'members are on all control planes or on hosts that are nothing else', host);
  }
}
