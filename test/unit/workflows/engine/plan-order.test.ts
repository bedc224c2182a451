import { describe, expect, it } from 'vitest';
import type { Step } from '../../../../src/plan/types.js';
import { checkPlan } from '../../../../src/workflows/engine/plan-order.js';

function plan(needs: Record<string, string[]>): Step[] {
  const fields = {
    phase: 'prepare',
    action: 'prepareSystem',
    host: null,
    title: '',
    timeoutMinutes: 1,
    skippable: false,
  } as const;
  return Object.entries(needs).map(([id, list]) => ({ ...fields, id, needs: list }));
}

describe('checking a plan', () => {
  it('takes steps in any order', () => {
    expect(() => checkPlan(plan({ c: ['a', 'b'], a: [], b: ['a'] }))).not.toThrow();
    expect(() => checkPlan([])).not.toThrow();
  });

  it.each([
    ['a missing need', plan({ a: ['x'] }), /a needs x, which the plan does not have/],
    ['a circle', plan({ a: ['b'], b: ['c'], c: ['a'], d: [] }), /in a circle: a, b, c$/],
    ['a step that needs itself', plan({ a: ['a'] }), /in a circle: a$/],
    ['a step twice', [...plan({ a: [] }), ...plan({ a: [] })], /the same id/],
  ])('refuses %s, by name', (_name, steps, message) => {
    expect(() => checkPlan(steps)).toThrow(message);
  });
});
