import { describe, expect, it } from 'vitest';
import type { Cluster } from '../../../src/cluster/types.js';
import { chooseScenarios, type DrillOptions, planDrill } from '../../../src/plan/drill.js';
import type { Step } from '../../../src/plan/types.js';
import { clusterOf } from '../cluster-fixture.js';

const POWER = true as const;
const three = clusterOf({ controlPlanes: 3, workers: 2 });

const chosen = (cluster: Cluster, options: DrillOptions = {}) => chooseScenarios(cluster, options).chosen;
const whyNot = (cluster: Cluster, scenario: string, options: DrillOptions = {}) =>
  chooseScenarios(cluster, options).impossible.find((each) => each.scenario === scenario)?.why;

describe('the scenarios of a drill', () => {
  it('are all that are possible; the power needs its commands', () => {
    expect(chosen(three)).toEqual(['balancer', 'api-server', 'etcd-leader', 'network']);
    expect(whyNot(three, 'power')).toContain('--power-off and --power-on');
    expect(chosen(three, { power: POWER })).toEqual(['balancer', 'api-server', 'etcd-leader', 'power', 'network']);
  });

  it('are those that are named, in the order in which they are always done', () => {
    expect(chosen(three, { only: ['network', 'balancer'] })).toEqual(['balancer', 'network']);
  });

  it('are none without a second control plane', () => {
    const one = clusterOf({ controlPlanes: 1, workers: 2 });
    expect(chosen(one, { power: POWER })).toEqual([]);
    expect(whyNot(one, 'network')).toContain('no second control plane');
  });

  it('leave etcd its quorum: with two members on control planes none of them goes', () => {
    const two = clusterOf({ controlPlanes: 2, workers: 1 });
    expect(whyNot(two, 'etcd-leader')).toBe('etcd would lose its quorum: it has 2 members and needs 2');
    expect(whyNot(two, 'power', { power: POWER })).toContain('quorum');
    expect(chosen(two)).toEqual(['balancer', 'api-server', 'network']);
  });

  it('may take the power of a control plane that holds no member', () => {
    const external = clusterOf({ controlPlanes: 2, workers: 1, etcd: 3 });
    expect(chosen(external, { power: POWER })).toContain('power');
    expect(whyNot(clusterOf({ controlPlanes: 2, workers: 1, etcd: 1 }), 'etcd-leader')).toContain('quorum');
  });

  it('stop no balancer that is not of the cluster', () => {
    const external = { ...three, loadBalancer: { type: 'external' }, endpoint: { address: 'api.example', port: 6443 } };
    expect(whyNot(external as unknown as Cluster, 'balancer')).toContain('not of this cluster');
  });

  it('need somebody outside who asks: with LVS a worker that is not struck', () => {
    const lvs = (workers: number, directors = 2) =>
      ({ ...clusterOf({ controlPlanes: 3, workers, directors }), loadBalancer: { type: 'lvs' } }) as unknown as Cluster;
    expect(chosen(lvs(0))).toEqual([]);
    expect(chosen(lvs(1))).toEqual(['balancer', 'api-server', 'etcd-leader']);
    expect(whyNot(lvs(1), 'network')).toContain('no worker left that could ask from outside');
    expect(whyNot(lvs(1, 1), 'balancer')).toContain('no second host with a balancer');
  });

  it('cut no worker where there is none', () => {
    expect(whyNot(clusterOf({ controlPlanes: 3, workers: 0 }), 'network')).toBe('there is no worker');
  });
});

/** Everything a step waits for, directly or not. */
function allNeeds(plan: Step[], id: string, found = new Set<string>()): Set<string> {
  for (const need of plan.find((step) => step.id === id)?.needs ?? []) {
    found.add(need);
    allNeeds(plan, need, found);
  }
  return found;
}

describe('the plan of a drill', () => {
  const plan = planDrill(three, { power: POWER, movePods: true });
  const named = (id: string): Step => plan.find((step) => step.id === id) as Step;

  it('names every step once, and needs only steps that stand before it', () => {
    const seen = new Set<string>();
    for (const { id, needs } of plan) {
      expect(seen.has(id), id).toBe(false);
      for (const need of needs) expect(seen.has(need), `${id} needs ${need}`).toBe(true);
      seen.add(id);
    }
  });

  it('breaks nothing before the cluster was seen to be whole, and one part at a time', () => {
    const breaks = plan.filter(({ action }) => action === 'breakPart').map(({ id }) => id);
    expect(breaks).toHaveLength(5);
    for (const [index, id] of breaks.entries()) {
      const needs = allNeeds(plan, id);
      expect(needs).toContain('cluster/preflight');
      for (const before of breaks.slice(0, index)) {
        expect(needs).toContain(before.replace('-break', '-restore'));
        expect(needs).toContain(before.replace('-break', '-health'));
        expect(needs).toContain(before.replace('-break', '-end'));
      }
    }
  });

  it('always puts back what it has broken, ends what it has begun, and gives the hosts back', () => {
    for (const { id } of plan.filter(({ action }) => action === 'breakPart')) {
      const restore = named(id.replace('-break', '-restore'));
      expect(restore).toMatchObject({ action: 'putBack', always: true });
      expect(restore.needs).toContain(id);
      expect(restore.needs).toContain(id.replace('-break', '-ask'));
    }
    for (const { id } of plan.filter(({ action }) => action === 'startProbes')) {
      expect(named(id.replace('-ask', '-end'))).toMatchObject({ action: 'endProbes', always: true });
    }
    expect(plan.at(-1)).toMatchObject({ id: 'cluster/release', always: true });
  });

  it('asks nobody, and can be skipped in no part: whatever is broken is to be put back first', () => {
    for (const step of plan) expect(step).toMatchObject({ onFailure: 'report', skippable: false, host: null });
  });

  it('holds no command: whether the worker has one for the power, the preflight looks; and waits for pods where a node goes', () => {
    expect(named('cluster/preflight').with).toEqual({ power: true });
    expect(named('cluster/power-break').with).toEqual({
      scenario: 'power',
      before: 'cluster/etcd-leader-health',
      movePods: true,
    });
    expect(named('cluster/balancer-break').with).toEqual({ scenario: 'balancer', before: 'cluster/preflight' });
    expect(named('cluster/network-watch').with).toMatchObject({ movePods: true });
    expect(planDrill(three)[0]).not.toHaveProperty('with');
  });

  it('keeps titles within what Temporal shows of them', () => {
    for (const { title } of plan) expect(Buffer.byteLength(title)).toBeLessThanOrEqual(200);
  });
});
