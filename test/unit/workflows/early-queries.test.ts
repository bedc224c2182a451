import { describe, expect, it } from 'vitest';
import { Seen } from '../../../src/workflows/early-queries.js';

/** As the SDK tells of a workflow task: up to which event, and what the event says that started the task. */
function told(historyLength: number, size: number, seconds: number, nanos = 0): Parameters<Seen['activation']>[0] {
  const historySizeBytes = { toString: () => String(size) };
  return { activation: { historyLength, historySizeBytes, timestamp: { seconds, nanos } } } as never;
}

function aheadAfter(...activations: Parameters<Seen['activation']>[0][]): boolean {
  const seen = new Seen();
  for (const one of activations) seen.activation(one);
  return seen.isAhead;
}

describe('what activations say of the history', () => {
  it.each([
    ['one workflow task', [told(3, 800, 10)], false],
    ['a task that has been started', [told(3, 800, 10), told(9, 2_000, 11)], false],
    ['two tasks within a second', [told(3, 800, 10, 1), told(9, 2_000, 10, 2)], false],
    ['a server whose clock went back', [told(3, 800, 10), told(9, 2_000, 10)], false],
    ['a server that does not tell the size', [told(3, 0, 10), told(9, 0, 11)], false],
    ['two activations of one task', [told(3, 800, 10), told(3, 800, 10)], false],
    ['events without a task', [told(3, 800, 10), told(7, 800, 10)], true],
    ['events without a task, in two activations', [told(3, 800, 10), told(7, 800, 10), told(7, 800, 10)], true],
  ])('%s', (_name, activations, isAhead) => {
    expect(aheadAfter(...activations)).toBe(isAhead);
  });
});
