import type { DraftRole } from '../../draft.js';
import { type LeftOut, listedNames } from '../../left-out.js';
import type { Inventory } from './inventory.js';

/** Names that people and installers give to groups, with `_` for `-`. */
const CONTROL_PLANES = [
  ...['kube_control_plane', 'kube_control_planes', 'kube_controlplane', 'control_plane', 'control_planes'],
  ...['controlplane', 'controlplanes', 'kube_master', 'kube_masters', 'master', 'masters', 'k8s_master', 'k8s_masters'],
  ...['k8s_control_plane', 'kube_controller', 'kube_controllers'],
];
/** Groups of anything have these names: they count where no group has one that only Kubernetes uses. */
const MAYBE_CONTROL_PLANES = ['control', 'controller', 'controllers', 'server', 'servers', 'manager', 'managers'];
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
  /** What somebody has to decide about the hosts, as the rest of a sentence. */
  problem: string | undefined;
}

/** What each host of an inventory is, by the groups that it is in. Hosts without a role, and etcd where it cannot be, are told. */
export function rolesOf(inventory: Inventory, leftOut: LeftOut): Roles {
  const called = (names: string[]): string[] =>
    inventory.groups.filter((group) => names.includes(group.toLowerCase().replaceAll('-', '_')));
  const members = (names: string[], without: string[] = []): Set<string> =>
    new Set(called(names).flatMap((group) => [...inventory.hostsOf(group, new Set(without))]));
  const surely = members(CONTROL_PLANES);
  // Below a group of all servers there may be one of the workers among them.
  const others = called([...WORKERS, ...NODES, ...ETCDS, ...BASTIONS]);
  const controlPlanes = surely.size > 0 ? surely : members(MAYBE_CONTROL_PLANES, others);
  const [workers, etcds] = [members(WORKERS), members(ETCDS)];
  const hosts = new Map<string, HostRole>();
  for (const host of controlPlanes) hosts.set(host, { role: 'control-plane', runsPods: workers.has(host) });
  for (const host of [...workers, ...members(NODES)]) {
    if (!hosts.has(host)) hosts.set(host, { role: 'worker', runsPods: true });
  }
  const problem = addEtcds(hosts, etcds, controlPlanes, leftOut);
  const [bastion] = members(BASTIONS);
  for (const host of inventory.hosts) {
    if (hosts.has(host) || host === bastion || etcds.has(host)) continue;
    leftOut.add('the host', 'it is in no group of control planes, workers or etcd', host);
  }
  return { hosts, bastion: bastion !== undefined && !hosts.has(bastion) ? bastion : undefined, problem };
}

/**
 * etcd is on the control planes, all of them and nowhere else, or on hosts that are nothing else.
 *
 * @returns what to do where it is neither, as the rest of a sentence
 */
function addEtcds(
  hosts: Map<string, HostRole>,
  etcds: Set<string>,
  controlPlanes: Set<string>,
  leftOut: LeftOut,
): string | undefined {
  const shared = [...etcds].filter((host) => controlPlanes.has(host));
  const elsewhere = [...etcds].filter((host) => !controlPlanes.has(host));
  if (elsewhere.length === 0) {
    tellWithoutEtcd(shared, controlPlanes, leftOut);
    return undefined;
  }
  const areFree = elsewhere.every((host) => !hosts.has(host));
  if (areFree && shared.length === 0) {
    for (const host of elsewhere) hosts.set(host, { role: 'etcd', runsPods: false });
    return undefined;
  }
  const why = areFree
    ? `etcd shares control planes with separate hosts; put them in the control planes' group, or take ${listedNames(shared)} out of [etcd]`
    : 'members are on all control planes or on hosts that are nothing else';
  for (const host of elsewhere) leftOut.add(hosts.has(host) ? 'etcd' : 'the host', why, host);
  return `have no etcd on ${listedNames(elsewhere)}: ${why}`;
}

function tellWithoutEtcd(members: string[], controlPlanes: Set<string>, leftOut: LeftOut): void {
  if (members.length === 0) return;
  for (const host of controlPlanes) {
    if (members.includes(host)) continue;
    leftOut.add(
      'a control plane without etcd',
      'each control plane has a member, unless etcd has hosts of its own',
      host,
    );
  }
}
