/**
 * What a health check has seen of a cluster besides what is wrong: for who asks how it stands without a look of his own. All of it its
 * looks know anyway, so nobody is asked more for it.
 */
export interface Sight {
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

/** Leaves out the last nodes of a sight, counted, until it has no more than `SIGHT_LIMIT` bytes. Pure. */
export function fitting(sight: Sight): Sight {
  const { nodes = [], ...rest } = sight;
  let left = SIGHT_LIMIT - sizeOf({ ...rest, nodes: [], moreNodes: sight.moreNodes ?? 99_999 });
  if (sight.nodes === undefined || sizeOf(sight) <= SIGHT_LIMIT) return sight;
  let more = sight.moreNodes ?? 0;
  const kept: SeenNodes[] = [];
  for (const group of nodes) {
    const names: string[] = [];
    left -= sizeOf({ ...group, names }) + 1;
    for (const name of group.names) {
      left -= sizeOf(name) + 1;
      if (left >= 0) names.push(name);
      else more += 1;
    }
    if (names.length > 0) kept.push({ ...group, names });
  }
  return { ...rest, nodes: kept, moreNodes: more };
}

/** The later of two sights, with what only the first one tells. Pure. */
export function together(first: Sight | undefined, later: Sight | undefined): Sight | undefined {
  if (first === undefined || later === undefined) return later ?? first;
  const { nodes, moreNodes, ...rest } = first;
  // How many there were more belongs to the nodes that are named.
  const before = later.nodes === undefined ? first : rest;
  return { ...before, ...later };
}

/** Characters count as bytes: names of hosts are ASCII, and so is all else here. */
function sizeOf(value: unknown): number {
  return JSON.stringify(value).length;
}
