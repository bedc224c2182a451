import { describe, expect, test } from 'vitest';
import { ALL_PAIRS_UP_TO, peersOf } from '../../../../../src/activities/check/pod-network/peers.js';

const nodes = (count: number) => Array.from({ length: count }, (_, at) => `n-${at}`);

describe('whom the pod on each node asks', () => {
  test.each([2, 5, ALL_PAIRS_UP_TO])('everybody else, of %d nodes', (count) => {
    for (const [node, others] of peersOf(nodes(count))) {
      expect(others).toEqual(nodes(count).filter((other) => other !== node));
    }
  });

  test.each([33, 64, 300])('some others of %d nodes, each pair in both directions, and as many for each', (count) => {
    const peers = peersOf(nodes(count));
    const sizes = new Set([...peers.values()].map(({ length }) => length));
    expect([...sizes]).toEqual([2 * Math.floor(Math.log2(count / 2)) + (Number.isInteger(Math.log2(count)) ? 1 : 2)]);
    for (const [node, others] of peers) {
      expect(new Set(others).size).toBe(others.length);
      expect(others).not.toContain(node);
      for (const other of others) expect(peers.get(other)).toContain(node);
    }
    // Of the same nodes the same ones: a pair that is broken is not told as mended by a check that does not ask it.
    expect(peersOf(nodes(count))).toEqual(peers);
  });
});
