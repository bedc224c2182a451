import { describe, expect, it } from 'vitest';
import type { Cluster } from '../../../src/cluster/types.js';
import { planInstall } from '../../../src/plan/install.js';
import type { Step } from '../../../src/plan/types.js';
import { clusterOf } from '../cluster-fixture.js';

const stacked = clusterOf({ controlPlanes: 3, workers: 2 });
const external = clusterOf({ controlPlanes: 3, workers: 1, etcd: 3 });

/** With `taints: []` on every control plane. */
function open(cluster: Cluster): Cluster {
  return { ...cluster, hosts: cluster.hosts.map((host) => ({ ...host, taints: [] })) };
}

/** Everything a step waits for, directly or not. */
function allNeeds(plan: Step[], id: string): Set<string> {
  const byId = new Map(plan.map((step) => [step.id, step]));
  const found = new Set<string>();
  const visit = (current: string) => {
    for (const need of byId.get(current)?.needs ?? []) {
      if (!found.has(need)) {
        found.add(need);
        visit(need);
      }
    }
  };
  visit(id);
  return found;
}

describe.each<[string, Cluster]>([
  ['stacked', stacked],
  ['external etcd', external],
  ['one control plane alone', clusterOf({ controlPlanes: 1, workers: 0 })],
  ['one control plane that takes pods', open(clusterOf({ controlPlanes: 1, workers: 0 }))],
  ['three control planes that take pods', open(clusterOf({ controlPlanes: 3, workers: 0 }))],
  ['five control planes', clusterOf({ controlPlanes: 5, workers: 1 })],
  ['seven etcd hosts', clusterOf({ controlPlanes: 3, workers: 1, etcd: 7 })],
])('a plan for %s', (_name, cluster) => {
  const plan = planInstall(cluster);

  it('names every step once and needs only steps that stand before it', () => {
    const seen = new Set<string>();
    for (const step of plan) {
      expect(seen.has(step.id), step.id).toBe(false);
      for (const need of step.needs) expect(seen.has(need), `${step.id} needs ${need}`).toBe(true);
      seen.add(step.id);
    }
  });

  it('lets nobody go first who waits for the one that lets him', () => {
    const ids = new Set(plan.map((step) => step.id));
    for (const step of plan) {
      for (const first of step.yieldsTo ?? []) {
        expect(ids.has(first), first).toBe(true);
        expect(allNeeds(plan, first).has(step.id), `${first} waits for ${step.id}`).toBe(false);
        expect(plan.find(({ id }) => id === first)?.yieldsTo ?? []).not.toContain(step.id);
      }
    }
  });

  it('changes nothing before every host was looked at', () => {
    const checks = new Set(plan.filter((step) => step.phase === 'preflight').map((step) => step.id));
    for (const step of plan.filter((candidate) => !checks.has(candidate.id))) {
      expect(
        [...checks].filter((id) => !allNeeds(plan, step.id).has(id)),
        step.id,
      ).toEqual([]);
    }
  });

  it('bounds every step in time', () => {
    for (const step of plan) expect(step.timeoutMinutes, step.id).toBeGreaterThan(0);
    for (const step of plan) expect(step.timeoutMinutes, step.id).toBeLessThanOrEqual(60);
  });

  it('keeps every title within the 200 bytes that Temporal allows for a summary', () => {
    for (const step of plan) expect(Buffer.byteLength(step.title)).toBeLessThanOrEqual(200);
  });
});

describe('the order of an install', () => {
  const plan = planInstall(stacked);

  it('starts the cluster without waiting for any other host to be prepared', () => {
    const hosts = new Set([...allNeeds(plan, 'cp-1/init')].map((id) => id.split('/')));
    const others = [...hosts].filter(
      ([host, verb]) => !['cp-1', 'cluster'].includes(host ?? '') && verb !== 'preflight',
    );
    expect(others).toEqual([]);
  });

  it('has the load balancer up before a control plane starts or joins', () => {
    expect(allNeeds(plan, 'cp-1/init')).toContain('cp-1/load-balancer');
    expect(allNeeds(plan, 'cp-3/join')).toContain('cp-3/load-balancer');
  });

  it('has seen another host get an answer at the virtual IP before the cluster begins', () => {
    expect(allNeeds(plan, 'cp-1/init')).toContain('cluster/virtual-ip');
    expect(allNeeds(plan, 'cluster/virtual-ip')).toContain('cp-1/load-balancer');
  });

  it('joins control planes one after the other', () => {
    expect(allNeeds(plan, 'cp-2/join')).toContain('cp-1/init');
    expect(allNeeds(plan, 'cp-3/join')).toContain('cp-2/join');
  });

  it('joins workers as soon as the API is there, not behind other control planes or each other', () => {
    const needs = allNeeds(plan, 'w-2/join');
    expect(needs).toContain('cp-1/init');
    expect([...needs].filter((id) => id.endsWith('/join'))).toEqual([]);
  });

  it('asks DNS on each node that has joined, without waiting until the last of them is Ready', () => {
    const needs = allNeeds(plan, 'cluster/dns');
    expect([...needs]).toEqual(expect.arrayContaining(['cluster/network', 'cp-3/join', 'w-2/join']));
    expect(needs).not.toContain('cluster/nodes');
  });

  it('spreads CoreDNS when a second control plane is there to take it, and asks DNS afterwards', () => {
    const needs = allNeeds(plan, 'cluster/dns-spread');
    expect([...needs]).toEqual(expect.arrayContaining(['cluster/network', 'cp-2/join']));
    expect([...needs].filter((id) => id.endsWith('/join'))).toEqual(['cp-2/join']);
    expect(allNeeds(plan, 'cluster/dns')).toContain('cluster/dns-spread');
  });

  it('spreads CoreDNS behind all joins where only workers can take it: one of them may be left out', () => {
    const needs = allNeeds(planInstall(clusterOf({ controlPlanes: 1, workers: 2 })), 'cluster/dns-spread');
    expect([...needs]).toEqual(expect.arrayContaining(['cluster/network', 'w-1/join', 'w-2/join']));
  });

  it('lets a person skip workers, never a control plane', () => {
    const skippable = plan.filter((step) => step.skippable).map((step) => step.host);
    expect(new Set(skippable)).toEqual(new Set(['w-1', 'w-2']));
  });
});

describe('sizes', () => {
  const idsOf = (plan: Step[], verb: string) => plan.map(({ id }) => id).filter((id) => id.endsWith(`/${verb}`));

  it('a single control plane begins and joins nobody, and everything is proven all the same', () => {
    const plan = planInstall(open(clusterOf({ controlPlanes: 1, workers: 0 })));
    expect([...idsOf(plan, 'init'), ...idsOf(plan, 'join')]).toEqual(['cp-1/init']);
    const proven = allNeeds(plan, 'cluster/record');
    expect([...proven]).toEqual(
      expect.arrayContaining(['cluster/nodes', 'cluster/etcd', 'cluster/endpoint', 'cluster/dns']),
    );
    expect(proven).toContain('cp-1/check-images');
  });

  it('what a control plane does beside does not change its steps', () => {
    const closed = clusterOf({ controlPlanes: 3, workers: 0 });
    expect(planInstall(open(closed))).toEqual(planInstall(closed));
  });

  it('five control planes join one after the other, for etcd takes one learner at a time', () => {
    const plan = planInstall(clusterOf({ controlPlanes: 5, workers: 1 }));
    for (const [index, name] of ['cp-2', 'cp-3', 'cp-4', 'cp-5'].entries()) {
      const before = index === 0 ? 'cp-1/init' : `cp-${index + 1}/join`;
      expect(plan.find(({ id }) => id === `${name}/join`)?.needs).toContain(before);
    }
    expect(allNeeds(plan, 'w-1/join')).not.toContain('cp-2/join');
  });

  it('all of seven etcd hosts are members, proven before the first control plane starts', () => {
    const plan = planInstall(clusterOf({ controlPlanes: 3, workers: 1, etcd: 7 }));
    const members = ['1', '2', '3', '4', '5', '6', '7'].map((number) => `etcd-${number}/etcd`);
    expect(idsOf(plan, 'etcd').filter((id) => id.startsWith('etcd-'))).toEqual(members);
    expect([...allNeeds(plan, 'cp-1/init')]).toEqual(expect.arrayContaining([...members, 'cluster/etcd-health']));
  });
});

describe('external etcd', () => {
  const plan = planInstall(external);

  it('proves etcd healthy before the first control plane starts', () => {
    const needs = allNeeds(plan, 'cp-1/init');
    for (const id of ['etcd-1/etcd', 'etcd-2/etcd', 'etcd-3/etcd', 'cluster/etcd-health']) expect(needs).toContain(id);
  });

  it('gives every control plane its client certificate before it starts or joins', () => {
    expect(allNeeds(plan, 'cp-1/init')).toContain('cp-1/etcd-client');
    expect(allNeeds(plan, 'cp-3/join')).toContain('cp-3/etcd-client');
  });

  it('puts nothing of Kubernetes but the kubelet on etcd hosts', () => {
    const onEtcd = plan.filter((step) => step.host === 'etcd-2').map((step) => step.action);
    expect(onEtcd).not.toContain('joinWorker');
    expect(onEtcd).not.toContain('configureLoadBalancer');
  });
});

describe('programs and images', () => {
  const hostsBefore = (plan: Step[], id: string) => [
    ...new Set((plan.find((step) => step.id === id)?.yieldsTo ?? []).map((each) => each.split('/')[0])),
  ];

  it.each(['binaries', 'runtime', 'images'])(
    'come to one control plane after the other, then to workers: %s',
    (verb) => {
      const plan = planInstall(stacked);
      expect(hostsBefore(plan, `cp-1/${verb}`)).toEqual([]);
      expect(hostsBefore(plan, `cp-2/${verb}`)).toEqual(['cp-1']);
      expect(hostsBefore(plan, `cp-3/${verb}`)).toEqual(['cp-1', 'cp-2']);
      for (const host of ['w-1', 'w-2']) expect(hostsBefore(plan, `${host}/${verb}`)).toEqual(['cp-1', 'cp-2', 'cp-3']);
    },
  );

  it('and so do the load balancers, of which the cluster needs the first one to begin', () => {
    const plan = planInstall(stacked);
    expect(hostsBefore(plan, 'cp-1/load-balancer')).toEqual([]);
    expect(hostsBefore(plan, 'cp-3/load-balancer')).toEqual(['cp-1', 'cp-2']);
  });

  it('come to etcd on hosts of its own together with the first control plane, which waits for it', () => {
    const plan = planInstall(external);
    for (const host of ['etcd-1', 'etcd-3', 'cp-1']) expect(hostsBefore(plan, `${host}/images`)).toEqual([]);
    expect(hostsBefore(plan, 'cp-2/images').sort()).toEqual(['cp-1', 'etcd-1', 'etcd-2', 'etcd-3']);
  });

  it('come before the images of the last check, where control planes need them', () => {
    const plan = planInstall(stacked);
    for (const host of ['cp-1', 'w-2']) {
      expect(hostsBefore(plan, `${host}/check-images`)).toEqual(['cp-1', 'cp-2', 'cp-3']);
    }
  });
});
