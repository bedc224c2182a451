import { describe, expect, it } from 'vitest';
import { planRotateEncryptionKey } from '../../../src/plan/rotate-encryption-key.js';
import type { Step } from '../../../src/plan/types.js';
import { clusterOf } from '../cluster-fixture.js';

/** Everything a step waits for, directly or not. */
function allNeeds(plan: Step[], id: string, found = new Set<string>()): Set<string> {
  for (const need of plan.find((step) => step.id === id)?.needs ?? []) {
    found.add(need);
    allNeeds(plan, need, found);
  }
  return found;
}

describe.each([1, 3, 5])('the plan of a rotation on %i control planes', (count) => {
  const plan = planRotateEncryptionKey(clusterOf({ controlPlanes: count, workers: 2 }));
  const idsOf = (verb: string) => plan.filter(({ id }) => id.endsWith(`/${verb}`)).map(({ id }) => id);

  it('names every step once, and needs only steps that stand before it', () => {
    const seen = new Set<string>();
    for (const { id, needs } of plan) {
      expect(seen.has(id), id).toBe(false);
      for (const need of needs) expect(seen.has(need), `${id} needs ${need}`).toBe(true);
      seen.add(id);
    }
  });

  it('has every control plane read with the new key before anybody writes with it, and all written anew before the old one goes', () => {
    for (const id of idsOf('first-key'))
      expect([...allNeeds(plan, id)]).toEqual(expect.arrayContaining(idsOf('second-key')));
    expect([...allNeeds(plan, 'cluster/secrets')]).toEqual(expect.arrayContaining(idsOf('first-key')));
    for (const id of idsOf('only-key')) expect([...allNeeds(plan, id)]).toContain('cluster/secrets');
    expect(idsOf('second-key')).toHaveLength(count);
    for (const id of idsOf('second-key').slice(1)) expect(allNeeds(plan, id).has('cp-1/second-key')).toBe(true);
  });

  it('tells every step that changes something what the preflight has chosen, lets none be skipped, and touches no worker', () => {
    for (const { action, needs, skippable, host } of plan) {
      expect(skippable).toBe(false);
      expect(host ?? 'cp-').toMatch(/^cp-/);
      if (action !== 'checkKeyRotation') expect(needs).toContain('cluster/preflight');
    }
    expect(plan.at(-1)).toMatchObject({ id: 'cluster/release', always: true });
  });
});
