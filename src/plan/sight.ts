import type { DiskTrend } from './disk-trend.js';
import type { SeenSnapshot } from './snapshot-age.js';
import type { Trends } from './trends.js';

/**
 * What a health check has seen of a cluster besides what is wrong: for who asks how it stands without a look of his own, and for the
 * next check, which judges what has become of it.
 */
export interface Sight extends Trends {
  /**
   * Hosts that have the virtual IP: one in a healthy cluster, none where nobody has it. Missing where it is not known, and where the
   * cluster has none.
   */
  virtualIpHolders?: string[];
  /** Host of etcd's leader. Missing where that is not known. */
  etcdLeader?: string;
  /** The nodes that the cluster has, those together of which the same is told. Missing where the API was not asked. */
  nodes?: SeenNodes[];
  /** How many nodes more there were than fit. */
  moreNodes?: number;
  /** Snapshots of etcd on the hosts that have said so. Missing where the file names none (`health.snapshots`). */
  snapshots?: SeenSnapshot[];
  /** How many file systems more are filling than fit. */
  moreDisks?: number;
}

/** Nodes that are alike. */
export interface SeenNodes {
  /** Whether they are Ready. */
  ready: boolean;
  /** Version of their kubelets, such as `v1.34.3`. */
  kubelet: string;
  /** Their names, in the order of the cluster. */
  names: string[];
}

/** Bytes of a sight as JSON: it stands in a history twice, and in the report. 500 nodes with names of twelve characters fit. */
export const SIGHT_LIMIT = 8_192;

/** What is told of one node. */
export interface SeenNode {
  name: string;
  ready: boolean;
  kubelet: string;
}

/**
 * Puts nodes together of which the same is told, those that are not Ready first, then those of which there are fewest: what most nodes
 * are is the last to be left out where not all of them fit. Pure.
 */
export function alikeNodes(nodes: readonly SeenNode[]): SeenNodes[] {
  const groups = new Map<string, SeenNodes>();
  for (const { name, ready, kubelet } of nodes) {
    const key = `${ready} ${kubelet}`;
    const group = groups.get(key) ?? { ready, kubelet, names: [] };
    group.names.push(name);
    groups.set(key, group);
  }
  return [...groups.values()].sort((a, b) => Number(a.ready) - Number(b.ready) || a.names.length - b.names.length);
}

/** Bytes that trends of file systems have at least, where there are any: as many as five of them need. */
const DISKS_LEAST = 2_048;

/**
 * Leaves out the last nodes and the emptiest file systems of a sight, counted, until it has no more than `SIGHT_LIMIT` bytes. Pure. The
 * trends that those leave out are not known to the next check.
 */
export function fitting(sight: Sight): Sight {
  if (sizeOf(sight) <= SIGHT_LIMIT) return sight;
  const { nodes = [], disks = [], ...rest } = sight;
  const counted = { moreNodes: sight.moreNodes ?? 99_999, moreDisks: sight.moreDisks ?? 99_999 };
  const room = SIGHT_LIMIT - sizeOf({ ...rest, ...counted, nodes: [], disks: [] });
  const told = fittingDisks(disks, Math.max(DISKS_LEAST, room - sizeOf(nodes)));
  const moreDisks = (sight.moreDisks ?? 0) + disks.length - told.length;
  const named = fittingNodes(nodes, room - (disks.length === 0 ? 0 : sizeOf(told)));
  const moreNodes = (sight.moreNodes ?? 0) + countOf(nodes) - countOf(named);
  return {
    ...rest,
    ...(sight.nodes === undefined ? {} : { nodes: named }),
    ...(moreNodes === 0 ? {} : { moreNodes }),
    ...(sight.disks === undefined ? {} : { disks: told }),
    ...(moreDisks === 0 ? {} : { moreDisks }),
  };
}

/** The fullest of them first: those matter, where not all can be followed. */
function fittingDisks(disks: readonly DiskTrend[], room: number): DiskTrend[] {
  let left = room;
  return [...disks]
    .sort((a, b) => shareFree(a) - shareFree(b))
    .filter((trend) => {
      left -= sizeOf(trend) + 1;
      return left >= 0;
    });
}

function shareFree({ samples, total }: DiskTrend): number {
  return (samples.at(-1)?.[1] ?? 0) / total;
}

function fittingNodes(nodes: readonly SeenNodes[], room: number): SeenNodes[] {
  let left = room;
  const kept: SeenNodes[] = [];
  for (const group of nodes) {
    const names: string[] = [];
    left -= sizeOf({ ...group, names }) + 1;
    for (const name of group.names) {
      left -= sizeOf(name) + 1;
      if (left >= 0) names.push(name);
    }
    if (names.length > 0) kept.push({ ...group, names });
  }
  return kept;
}

function countOf(nodes: readonly SeenNodes[]): number {
  return nodes.reduce((sum, { names }) => sum + names.length, 0);
}

/**
 * The later of two sights, with what only the first one tells. Pure. What is told of hosts, one by one, is put together: of one that
 * both tell of, the later counts.
 */
export function together(first: Sight | undefined, later: Sight | undefined): Sight | undefined {
  if (first === undefined || later === undefined) return later ?? first;
  const { nodes, moreNodes, ...rest } = first;
  // How many there were more belongs to the nodes that are named.
  const before = later.nodes === undefined ? first : rest;
  return {
    ...before,
    ...later,
    ...joined('disks', first, later),
    ...joined('members', first, later),
    ...joined('snapshots', first, later),
  };
}

function joined<K extends 'disks' | 'members' | 'snapshots'>(key: K, first: Sight, later: Sight): Pick<Sight, K> {
  const [before, now] = [first[key] ?? [], later[key] ?? []];
  if (before.length === 0 || now.length === 0) return {} as Pick<Sight, K>;
  const hosts = new Set(now.map(({ host }) => host));
  return { [key]: [...before.filter(({ host }) => !hosts.has(host)), ...now] } as Pick<Sight, K>;
}

/** Characters count as bytes: names of hosts are ASCII, and so is all else here. */
function sizeOf(value: unknown): number {
  return JSON.stringify(value).length;
}
