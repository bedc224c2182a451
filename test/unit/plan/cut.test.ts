import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Cut, cut, inGroups, UNGROUPED_HOSTS, waitOf } from '../../../src/plan/cut.js';
import { planInstall } from '../../../src/plan/install.js';
import type { Step } from '../../../src/plan/types.js';
import { clusterOf } from '../cluster-fixture.js';

function step(id: string, needs: string[], group?: string): Step {
  const fields = { phase: 'prepare', action: 'prepareSystem', title: id, timeoutMinutes: 1, skippable: false } as const;
  return { id, host: id, needs, ...fields, ...(group === undefined ? {} : { group }) };
}

/** Any plan: each step needs some of those before it, and is in one of a few groups or in none. */
const anyPlan = fc
  .array(
    fc.record({
      needs: fc.array(fc.nat(), { maxLength: 4 }),
      group: fc.option(fc.constantFrom('group-1', 'group-2', 'group-3'), { nil: undefined }),
    }),
    { maxLength: 40 },
  )
  .map((steps) =>
    steps.map(({ needs, group }, index) => {
      const before = index === 0 ? [] : [...new Set(needs.map((need) => `s${need % index}`))];
      return step(`s${index}`, before, group);
    }),
  );

/** Carries a cut out as the engine does: what each workflow knows of the others is what they tell it. */
function carriedOut({ own, groups }: Cut): string[] {
  const order: string[] = [];
  const ended = new Set<string>();
  const workflows = [{ id: '', steps: own, outside: own.flatMap(({ needs }) => needs) }, ...groups];
  for (;;) {
    const before = order.length;
    for (const { steps } of workflows) {
      const here = new Set(steps.map(({ id }) => id));
      for (const { id, needs } of steps) {
        if (ended.has(id) || !needs.every((need) => ended.has(need))) continue;
        // A need that is neither here nor told by anybody would wait for ever.
        expect(needs.every((need) => here.has(need) || workflows.some((each) => each.outside.includes(need)))).toBe(
          true,
        );
        ended.add(id);
        order.push(id);
      }
    }
    for (const { id: group, awaited } of groups)
      for (const [waiting, needs] of Object.entries(awaited))
        if (needs.every((need) => ended.has(need))) ended.add(waitOf(waiting, group));
    if (order.length === before) return order;
  }
}

describe('cutting a plan', () => {
  it('carries out every step, each behind what it needs, whatever the plan and its groups are', () => {
    fc.assert(
      fc.property(anyPlan, (plan) => {
        const order = carriedOut(cut(plan));
        expect([...order].sort()).toEqual(plan.map(({ id }) => id).sort());
        for (const { id, needs } of plan)
          for (const need of needs) expect(order.indexOf(need)).toBeLessThan(order.indexOf(id));
      }),
    );
  });

  it('leaves no need that grows with the hosts: one for each group, not for each host', () => {
    const cluster = clusterOf({ controlPlanes: 3, workers: 397 });
    const { own, groups } = cut(inGroups(planInstall(cluster), cluster));
    expect(groups).toHaveLength(10);
    for (const { id, needs } of own) expect(needs.length, id).toBeLessThan(3 * (3 + groups.length));
    for (const { outside } of groups) expect(outside.length).toBeLessThan(10);
  });
});

describe('putting hosts into groups', () => {
  it(`leaves a plan of up to ${UNGROUPED_HOSTS} hosts as it is`, () => {
    const cluster = clusterOf({ controlPlanes: 3, workers: UNGROUPED_HOSTS - 3 });
    const plan = planInstall(cluster);
    expect(inGroups(plan, cluster)).toBe(plan);
  });

  it.each([48, 50, 81, 297, 997])(
    'puts all steps of each of %i workers into one group of 25 to 50 hosts',
    (workers) => {
      const cluster = clusterOf({ controlPlanes: 3, workers });
      const plan = inGroups(planInstall(cluster), cluster);
      const groupsOf = new Map<string | null, Set<string | undefined>>();
      for (const { host, group } of plan) groupsOf.set(host, (groupsOf.get(host) ?? new Set()).add(group));
      for (const { name, role } of cluster.hosts) {
        const groups = [...(groupsOf.get(name) ?? [])];
        expect(groups, name).toEqual(role === 'worker' ? [expect.stringMatching(/^group-\d+$/)] : [undefined]);
      }
      const sizes = cut(plan).groups.map(({ steps }) => new Set(steps.map(({ host }) => host)).size);
      expect(Math.min(...sizes)).toBeGreaterThanOrEqual(24);
      expect(Math.max(...sizes)).toBeLessThanOrEqual(50);
    },
  );

  it('leaves steps in lanes with the root: a lane has one limit for all of them', () => {
    const cluster = clusterOf({ controlPlanes: 1, workers: 60 });
    const lane = { name: 'drain', limit: 2 };
    const plan = planInstall(cluster).map((each) => (each.action === 'joinWorker' ? { ...each, lane } : each));
    for (const each of inGroups(plan, cluster)) if (each.lane !== undefined) expect(each.group).toBeUndefined();
  });
});
