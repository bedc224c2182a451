import { describe, expect, it } from 'vitest';
import type { Cluster } from '../../../src/cluster/types.js';
import { planReset, RESET_PREFLIGHT } from '../../../src/plan/reset.js';
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

function inOrder(plan: Step[]): void {
  const seen = new Set<string>();
  for (const { id, needs } of plan) {
    expect(seen.has(id), id).toBe(false);
    for (const need of needs) expect(seen.has(need), `${id} needs ${need}`).toBe(true);
    seen.add(id);
  }
}

describe('the plan of a reset of a whole cluster', () => {
  const plan = planReset(clusterOf({ controlPlanes: 3, workers: 2 }));

  it('names every step once, and needs only steps that stand before it', () => inOrder(plan));

  it('changes no host before all were looked at, and the backup is kept', () => {
    for (const { id, action } of plan) {
      if (action !== 'resetHost') continue;
      expect([...allNeeds(plan, id)], id).toEqual(expect.arrayContaining([RESET_PREFLIGHT, 'cluster/backup']));
    }
  });

  it('gives workers back before control planes, so that the API is there while one makes trouble', () => {
    for (const name of ['cp-1', 'cp-2', 'cp-3'])
      expect([...allNeeds(plan, `${name}/reset`)]).toEqual(expect.arrayContaining(['w-1/reset', 'w-2/reset']));
    expect([...allNeeds(plan, 'w-1/reset')]).not.toContain('w-2/reset');
  });

  it('neither drains nor takes members and nodes out of what ends as a whole', () => {
    const actions = new Set(plan.map(({ action }) => action));
    for (const action of ['drainNode', 'removeEtcdMember', 'removeNode', 'recordReset'])
      expect(actions).not.toContain(action);
  });

  it('compares each host before the record that says whose it is goes, and gives all hosts back in the end', () => {
    for (const name of ['cp-1', 'w-1']) {
      expect(plan.find(({ id }) => id === `${name}/forget`)?.needs).toContain(`${name}/compare`);
      expect(plan.find(({ id }) => id === `${name}/compare`)?.needs).toContain(`${name}/reset`);
    }
    expect(plan.at(-1)).toMatchObject({ id: 'cluster/release', always: true });
  });

  it('lets a person leave any host out, whatever its role', () => {
    for (const { action, skippable, id } of plan) if (action === 'resetHost') expect(skippable, id).toBe(true);
  });
});

describe('the plan of a reset of hosts of other roles', () => {
  it('keeps members of etcd until their API servers are gone', () => {
    const cluster = clusterOf({ controlPlanes: 1, workers: 1 });
    const [first] = cluster.hosts;
    const etcd = { ...(first as NonNullable<typeof first>), name: 'etcd-1', role: 'etcd' as const };
    const plan = planReset({ ...cluster, hosts: [...cluster.hosts, etcd] });
    expect([...allNeeds(plan, 'etcd-1/reset')]).toEqual(expect.arrayContaining(['cp-1/reset', 'w-1/reset']));
    inOrder(plan);
  });
});

describe('the plan of a reset of one host', () => {
  const cluster: Cluster = clusterOf({ controlPlanes: 3, workers: 2 });

  it('moves the pods, then gives the vote up, then the host, and deletes the node when its kubelet is gone', () => {
    const plan = planReset(cluster, { host: 'cp-2' });
    inOrder(plan);
    expect(plan.map(({ id }) => id)).toEqual([
      'cluster/preflight',
      'cluster/backup',
      'cp-2/drain',
      'cp-2/etcd-member',
      'cp-2/reset',
      'cp-2/compare',
      'cp-2/forget',
      'cp-2/node',
      'cp-2/uncordon',
      'cluster/record',
      'cluster/release',
    ]);
    expect([...allNeeds(plan, 'cp-2/etcd-member')]).toContain('cp-2/drain');
    expect([...allNeeds(plan, 'cp-2/reset')]).toContain('cp-2/etcd-member');
    expect([...allNeeds(plan, 'cp-2/node')]).toContain('cp-2/reset');
    expect([...allNeeds(plan, 'cluster/record')]).toEqual(expect.arrayContaining(['cp-2/node', 'cp-2/forget']));
  });

  it('takes no member out for a worker, and drains nothing where a person has said so', () => {
    const ids = planReset(cluster, { host: 'w-1', drain: false }).map(({ id }) => id);
    expect(ids).not.toContain('w-1/etcd-member');
    expect(ids).not.toContain('w-1/drain');
    expect(ids).not.toContain('w-1/uncordon');
    expect(planReset(cluster, { host: 'w-1' }).map(({ id }) => id)).toContain('w-1/drain');
  });

  it('puts a drained node back whatever becomes of the run, before it gives the hosts back', () => {
    const plan = planReset(cluster, { host: 'w-1' });
    expect(plan.find(({ id }) => id === 'w-1/uncordon')).toMatchObject({ always: true });
    expect(plan.at(-1)?.needs).toContain('w-1/uncordon');
  });

  it('touches no other host, says in each of its own steps which one is meant, and lets none of them be left out', () => {
    const plan = planReset(cluster, { host: 'cp-2' });
    for (const { id, host, with: more, skippable } of plan) {
      if (host !== null) expect(host).toBe('cp-2');
      else if (id !== 'cluster/release') expect(more).toEqual({ host: 'cp-2' });
      // The backup may be: where the host cannot be reached there is none.
      expect(skippable, id).toBe(id === 'cluster/backup');
    }
  });
});
