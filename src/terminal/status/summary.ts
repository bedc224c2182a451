import { differences } from '../../cluster/differences.js';
import { isNode } from '../../cluster/roles.js';
import type { Cluster, ClusterHost } from '../../cluster/types.js';
import type { ClusterStatus } from '../../engine/index.js';
import type { Sight } from '../../plan/sight.js';
import { newestOf } from '../../plan/snapshot-age.js';
import { endpointOf } from '../../render/kubeadm.js';
import type { ClusterSummary, HostStanding } from '../json/status.js';
import { unseen } from './not-known.js';
import { stateOf } from './state.js';

/** What a cluster.yaml says, or why it does not say anything. */
export interface ComparedFile {
  /** As it was named. */
  path: string;
  cluster?: Cluster;
  /** Where it could not be read: why. */
  unread?: string;
}

/** What `status` tells of a cluster, to people and to programs. Pure. */
export function summarise(status: ClusterStatus, file?: ComparedFile): ClusterSummary {
  const { cluster: name, health, applied, planned, drill, drills } = status;
  const { report, heldBy, schedule, silentSince, silentDepth } = health;
  const cluster = applied?.cluster ?? planned;
  const seen = report?.seen;
  const snapshot = newestOf(seen?.snapshots ?? []);
  return {
    cluster: name,
    state: stateOf(status),
    ...operationOf(status),
    ...(report === undefined ? {} : { health: inShort(report) }),
    ...(heldBy === undefined ? {} : { heldBy }),
    ...(schedule === undefined ? {} : { schedule }),
    ...(silentSince === undefined ? {} : { silentSince }),
    ...(silentDepth === undefined ? {} : { silentDepth }),
    ...(drill === undefined ? {} : { drill }),
    ...(drills?.schedule === undefined ? {} : { drills }),
    ...(cluster === undefined ? {} : { endpoint: endpointOf(cluster) }),
    ...(seen?.virtualIpHolders === undefined ? {} : { virtualIpHolders: seen.virtualIpHolders }),
    ...(seen?.etcdLeader === undefined ? {} : { etcdLeader: seen.etcdLeader }),
    ...(snapshot === undefined ? {} : { snapshot }),
    ...(seen === undefined || report === undefined ? {} : { seenAt: report.at }),
    hosts: cluster === undefined ? [] : standings(cluster, status),
    ...appliedIn(status),
    ...(status.givenBackAt === undefined ? {} : { givenBackAt: status.givenBackAt }),
    ...differencesIn(applied?.cluster, file),
    notKnown: unseen(status, file),
  };
}

function operationOf({ run }: ClusterStatus): Pick<ClusterSummary, 'operation'> {
  if (run === undefined) return {};
  const { operation = 'install', status, source, startedAt, closedAt, progress } = run;
  const blocked = progress.blocked.map(({ step }) => step);
  const when = { startedAt, ...(closedAt === undefined ? {} : { closedAt }) };
  return { operation: { operation, status, source, blocked, ...when } };
}

function inShort({
  verdict,
  at,
  findings,
  more = 0,
  during,
}: NonNullable<ClusterStatus['health']['report']>): ClusterSummary['health'] {
  return { verdict, at, findings, ...(more === 0 ? {} : { more }), ...(during === undefined ? {} : { during }) };
}

function appliedIn({ applied }: ClusterStatus): Pick<ClusterSummary, 'applied'> {
  if (applied === undefined) return {};
  const { cluster, ...rest } = applied;
  return { applied: { ...rest, version: cluster.kubernetes.version, hosts: cluster.hosts.length } };
}

function differencesIn(applied: Cluster | undefined, file: ComparedFile | undefined): Partial<ClusterSummary> {
  if (applied === undefined || file?.cluster === undefined) return {};
  return { differences: { file: file.path, lines: differences(applied, file.cluster) } };
}

function standings({ hosts, kubernetes }: Cluster, { health: { report } }: ClusterStatus): HostStanding[] {
  const nodes = nodesIn(report?.seen);
  const codes = new Map<string, string[]>();
  for (const { code, host } of report?.findings ?? []) {
    if (host !== null) codes.set(host, [...new Set([...(codes.get(host) ?? []), code])]);
  }
  return hosts.map((host) => {
    const node = isNode(host.role) ? nodes(host) : {};
    const isOld = node.kubelet !== undefined && node.kubelet !== `v${kubernetes.version}`;
    const { name, role, address } = host;
    const known = { ...node, ...(isOld ? { otherVersion: true as const } : {}) };
    return { name, role, address, ...known, codes: codes.get(name) ?? [] };
  });
}

/** What was seen of a node. One that is not named where all are is none of the cluster; where the nodes were not asked, nothing is known. */
function nodesIn(seen: Sight | undefined): (host: ClusterHost) => Pick<HostStanding, 'ready' | 'kubelet'> {
  const known = new Map(
    (seen?.nodes ?? []).flatMap(({ names, ready, kubelet }) => names.map((name) => [name, { ready, kubelet }])),
  );
  const isWhole = seen?.nodes !== undefined && seen.moreNodes === undefined;
  return ({ name }) => known.get(name) ?? (isWhole ? { ready: false } : {});
}
