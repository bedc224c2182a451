import { describePath, describeValue } from './describe.js';
import { canonicalJson } from './hash.js';
import type { Path } from './path.js';
import type { Cluster } from './types.js';

/**
 * What differs between two clusters, one line each, for people: `kubernetes.version: "1.34.3" → "1.34.4"`,
 * `hosts[w-2]: added`. Hosts and patches are compared by name; a host elsewhere in the list is told by the new order.
 * @param before what runs or ran
 * @param after what the file says now
 */
export function differences(before: Cluster, after: Cluster): string[] {
  return compare(named(before), named(after), []).concat(compareOrder(before, after));
}

/** Lists whose items have names become maps, so that an item that is added does not shift all others. */
function named(cluster: Cluster): unknown {
  const { hosts, kubernetes, places: _, ...rest } = cluster;
  return {
    ...rest,
    kubernetes: { ...kubernetes, patches: new Named(kubernetes.patches.map((patch) => [patch.name, patch])) },
    hosts: new Named(hosts.map((host) => [host.name, host])),
  };
}

class Named {
  readonly items: Map<string, unknown>;

  constructor(items: [string, unknown][]) {
    this.items = new Map(items);
  }
}

function compare(before: unknown, after: unknown, path: Path): string[] {
  if (before instanceof Named && after instanceof Named) return compareNamed(before, after, path);
  if (isMap(before) && isMap(after)) {
    const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
    return [...keys].flatMap((key) => compare(before[key], after[key], [...path, key]));
  }
  if (canonicalJson(before ?? null) === canonicalJson(after ?? null)) return [];
  const [old, current] = [show(before), show(after)];
  return [`${describePath(path)}: ${old === current ? 'changed' : `${old} → ${current}`}`];
}

function compareNamed(before: Named, after: Named, path: Path): string[] {
  const names = new Set([...before.items.keys(), ...after.items.keys()]);
  return [...names].flatMap((name) => {
    const [old, current] = [before.items.get(name), after.items.get(name)];
    const where = `${describePath(path)}[${name}]`;
    if (old === undefined) return [`${where}: added`];
    if (current === undefined) return [`${where}: removed`];
    return compare(old, current, []).map((line) => `${where}.${line}`);
  });
}

function compareOrder(before: Cluster, after: Cluster): string[] {
  const order = (cluster: Cluster, other: Cluster): string =>
    cluster.hosts
      .map((host) => host.name)
      .filter((name) => other.hosts.some((host) => host.name === name))
      .join(', ');
  const [old, current] = [order(before, after), order(after, before)];
  return old === current ? [] : [`hosts: order ${old} → ${current}`];
}

/** Lists of texts and small maps whole, everything else in a few words. */
function show(value: unknown): string {
  const json = typeof value === 'object' && value !== null ? canonicalJson(value) : undefined;
  return json !== undefined && json.length <= 100 ? json : describeValue(value);
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Named);
}
