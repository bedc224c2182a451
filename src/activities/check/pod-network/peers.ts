/** Up to so many nodes each asks every other one: 31 connections from a pod take no longer than one. */
export const ALL_PAIRS_UP_TO = 32;

/**
 * Whom the pod on each node asks, by the names of the nodes. Up to `ALL_PAIRS_UP_TO` nodes that is everybody else; above, the nodes at
 * distances 1, 2, 4, 8 … on a ring, both ways: each node is asked by as many as it asks, and the number grows with the logarithm.
 * Whoever asks somebody is asked by him, for a large packet is sent by the one that asks.
 *
 * The choice is the same in each check. With another one each time, a pair that is broken would be found, and then told as mended by
 * the next check, which does not ask it. Pure.
 */
export function peersOf(nodes: readonly string[]): Map<string, string[]> {
  const isSmall = nodes.length <= ALL_PAIRS_UP_TO;
  return new Map(
    nodes.map((node, at) => [
      node,
      isSmall ? nodes.filter((other) => other !== node) : distances(nodes.length).map((far) => nodeAt(nodes, at + far)),
    ]),
  );
}

/** Distances on a ring of so many, each once: the one that leads to the opposite node is its own way back. */
function distances(nodes: number): number[] {
  const found = new Set<number>();
  for (let far = 1; far <= nodes / 2; far *= 2) {
    found.add(far);
    found.add(nodes - far);
  }
  return [...found];
}

function nodeAt(nodes: readonly string[], at: number): string {
  return nodes[at % nodes.length] as string;
}
