/** One pod that did not get its answer from another one. */
export interface Failing {
  from: string;
  to: string;
}

/** Failing pairs that have one thing in common. */
export interface Group<T extends Failing = Failing> {
  /** The node that is in all of them; null where no single node is. */
  node: string | null;
  /** Whether that node has been in every pair that was asked and that it is part of. */
  isWhole: boolean;
  failing: T[];
}

/**
 * Puts failing pairs together by the node that explains most of them: first those nodes that reach nobody and are reached by nobody,
 * then those that several pairs have in common. What is left are pairs of which nobody knows which end it is, and where nothing works at
 * all no node explains anything. Pure.
 *
 * @param nodes in the order in which they are named
 * @param asked all pairs that were asked
 */
export function grouped<T extends Failing>(
  nodes: readonly string[],
  asked: readonly Failing[],
  failing: readonly T[],
): Group<T>[] {
  if (failing.length === 0) return [];
  if (nodes.length > 2 && failing.length === asked.length)
    return [{ node: null, isWhole: true, failing: [...failing] }];
  const groups: Group<T>[] = [];
  let left = [...failing];
  const take = (node: string, isWhole: boolean): void => {
    groups.push({ node, isWhole, failing: left.filter(concerns(node)) });
    left = left.filter((pair) => !concerns(node)(pair));
  };
  for (const node of nodes) {
    const own = failing.filter(concerns(node));
    const isAlone = othersIn(own, node).length > 1 && own.length === asked.filter(concerns(node)).length;
    // What is left of it may be the other half of one that was taken before: then that one explains both.
    if (isAlone && left.some(concerns(node))) take(node, true);
  }
  for (;;) {
    const shared = (node: string): number => othersIn(left.filter(concerns(node)), node).length;
    const [most] = [...nodes].sort((one, other) => shared(other) - shared(one));
    if (most === undefined || shared(most) < 2) break;
    take(most, false);
  }
  return left.length === 0 ? groups : [...groups, { node: null, isWhole: false, failing: left }];
}

/** The other ends of a node's pairs, each once. */
export function othersIn(pairs: readonly Failing[], node: string): string[] {
  return [...new Set(pairs.filter(concerns(node)).map(({ from, to }) => (from === node ? to : from)))];
}

function concerns(node: string): (pair: Failing) => boolean {
  return ({ from, to }) => from === node || to === node;
}
