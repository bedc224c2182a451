import { beforeEach, describe, expect, test, vi } from 'vitest';
import { spreadDns } from '../../../../src/activities/verify/spreadDns.js';
import { clusterOf } from '../../cluster-fixture.js';
import { contextAmong, type FakeHost, fakeHosts, hostIn } from '../fake-hosts.js';

const cluster = clusterOf({ controlPlanes: 3, workers: 2 });
const KUBEADMS = [
  { key: 'CriticalAddonsOnly', operator: 'Exists' },
  { key: 'node-role.kubernetes.io/control-plane', effect: 'NoSchedule' },
];
const SHORT = ['not-ready', 'unreachable'].map((name) => {
  return { key: `node.kubernetes.io/${name}`, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 30 };
});

let hosts: Map<string, FakeHost>;
let via: FakeHost;

beforeEach(() => {
  hosts = fakeHosts(cluster);
  via = hostIn(hosts, 'cp-1').fact('initialised', '').fact('ready', 'ok').fact('nodes', 'True\t\nTrue\t\nFalse\t\n');
});

interface Dns {
  tolerations?: object[];
  replicas?: number;
  /** Node of each pod that is ready. */
  on: string[];
  leaving?: string[];
  unscheduled?: string;
  /** Pods of the newest template that are ready; default: all. */
  updated?: number;
}

function dns({
  tolerations = [...KUBEADMS, ...SHORT],
  replicas = 2,
  on,
  leaving = [],
  unscheduled,
  updated,
}: Dns): void {
  let made = 0;
  const pod = (nodeName: string, metadata = {}) => ({
    metadata: { name: `coredns-${++made}`, uid: `uid-${made}`, ...metadata },
    spec: { nodeName },
    status: { conditions: [{ type: 'Ready', status: 'True' }] },
  });
  const waiting = { type: 'PodScheduled', status: 'False', message: unscheduled };
  const items = [
    ...on.map((name) => pod(name)),
    ...leaving.map((name) => pod(name, { deletionTimestamp: '2026-11-25T00:00:00Z' })),
    ...(unscheduled ? [{ metadata: {}, spec: {}, status: { conditions: [waiting] } }] : []),
  ];
  via.fact('pods', JSON.stringify({ items }));
  const ready = { observedGeneration: 3, updatedReplicas: updated ?? replicas, readyReplicas: replicas, replicas };
  const metadata = { resourceVersion: '77', generation: 3 };
  const spec = { replicas, template: { spec: { tolerations } } };
  via.fact('deployment', JSON.stringify({ metadata, spec, status: ready }));
}

const context = (file = cluster) => contextAmong(hosts, file, 'spreadDns', null);

describe('CoreDNS is highly available', () => {
  test('on two hosts, and when a lost one is given up soon', async () => {
    dns({ on: ['cp-1', 'w-1'] });
    expect(await spreadDns.probe(context())).toMatchObject({ done: true, changes: [] });
  });

  test.each<[string, Dns, RegExp]>([
    ['both pods are on the first host, as kubeadm makes them', { on: ['cp-1', 'cp-1'] }, /runs on cp-1 only/],
    ['the pod on the second host is leaving', { on: ['cp-1'], leaving: ['w-1'] }, /runs on cp-1 only/],
    ['its old pods are still there, which will go', { on: ['cp-1', 'cp-2'], updated: 1 }, /still being rolled out/],
    ['somebody scaled it to one', { on: ['cp-1'], replicas: 1 }, /has 1 replica/],
    ['it stays on a lost host for five minutes', { on: ['cp-1', 'w-1'], tolerations: KUBEADMS }, /stays for minutes/],
    ['a pod is not scheduled', { on: ['cp-1'], unscheduled: '0/5 nodes: untolerated taint' }, /untolerated taint/],
  ])('not when %s', async (_, state, fault) => {
    dns(state);
    const { done, found } = await spreadDns.probe(context());
    expect(done).toBe(false);
    expect(found).toMatch(fault);
  });

  test.each(['deployment', 'pods'])('not while the API does not tell its %s', async (name) => {
    dns({ on: ['cp-1', 'w-1'] });
    via.cannotTell(name);
    expect(await spreadDns.probe(context())).toMatchObject({
      done: false,
      found: expect.stringContaining('cannot tell'),
    });
  });

  test('on one host of a cluster that has only one', async () => {
    dns({ on: ['cp-1', 'cp-1'] });
    const single = clusterOf({ controlPlanes: 1, workers: 0 });
    hosts = fakeHosts(single);
    hosts.set('cp-1', via);
    expect(await spreadDns.probe(context(single))).toMatchObject({ done: true });
  });
});

describe('spreading it', () => {
  const patch = () => JSON.parse(via.scripts.find(({ script }) => script.includes('patch deployment'))?.input ?? '{}');

  const evictions = () => via.scripts.filter(({ script }) => script.includes('/eviction'));

  test('evicts one pod of the crowded host, this very one, and nothing else', async () => {
    dns({ on: ['cp-1', 'cp-1'] });
    via.answer('/eviction', () => {
      dns({ on: ['cp-1', 'w-1'] });
      return '';
    });
    await spreadDns.apply(context(), { done: false, found: '', changes: [] });
    expect(evictions().map(({ script }) => script)).toEqual([
      expect.stringContaining('/api/v1/namespaces/kube-system/pods/coredns-2/eviction'),
    ]);
    expect(JSON.parse(evictions()[0]?.input ?? '')).toMatchObject({
      kind: 'Eviction',
      deleteOptions: { preconditions: { uid: 'uid-2' } },
    });
    expect(via.log).not.toContain('patch deployment');
  });

  test('evicts nothing while no other node would take the pod, for it would come up where it was', async () => {
    dns({ on: ['cp-1', 'cp-1'] });
    via.fact('nodes', 'True\t\nFalse\t\nTrue\ttrue\n');
    via.answer('/eviction', () => {
      dns({ on: ['cp-1', 'w-1'] });
      return '';
    });
    const looks = () => via.scripts.filter(({ script }) => script.includes('get nodes')).length;
    const spread = spreadDns.apply(context(), { done: false, found: '', changes: [] });
    await vi.waitFor(() => expect(looks()).toBeGreaterThan(1), { timeout: 10_000 });
    expect(evictions()).toEqual([]);
    via.fact('nodes', 'True\t\nTrue\t\nTrue\ttrue\n');
    await spread;
    expect(evictions()).toHaveLength(1);
  });

  test('after a rollout that has put all new pods on the other host, moves one of them back', async () => {
    dns({ on: ['cp-1', 'cp-1'], tolerations: KUBEADMS });
    via.answer('patch deployment', () => {
      dns({ on: ['w-1', 'w-1'] });
      return '';
    });
    via.answer('/eviction', () => {
      dns({ on: ['w-1', 'cp-1'] });
      return '';
    });
    await spreadDns.apply(context(), { done: false, found: '', changes: [] });
    expect(evictions()).toHaveLength(1);
  });

  test('is given up where the scheduler puts them together again and again', async () => {
    dns({ on: ['cp-1', 'cp-1'] });
    via.answer('/eviction', '');
    const begin = Date.now();
    let looks = 0;
    const clock = vi.spyOn(Date, 'now').mockImplementation(() => begin + looks++ * 20_000);
    const given = spreadDns.apply(context(), { done: false, found: '', changes: [] });
    await expect(given).rejects.toMatchObject({ code: 'KW484', message: expect.stringContaining('cp-1 only') });
    clock.mockRestore();
    expect(evictions()).toHaveLength(4);
  });

  test('gives kubeadm’s deployment what it lacks in one change, and keeps what others set', async () => {
    const on = ['cp-1', 'cp-1', 'cp-1', 'cp-1'];
    dns({ on, tolerations: [...KUBEADMS, { key: 'mine', operator: 'Exists' }], replicas: 4 });
    via.answer('patch deployment', () => {
      dns({ on: ['cp-1', 'w-1', 'cp-1', 'w-1'], replicas: 4 });
      return '';
    });
    await spreadDns.apply(context(), { done: false, found: '', changes: [] });
    expect(patch()).toMatchObject({
      metadata: { resourceVersion: '77' },
      spec: {
        replicas: 4,
        template: { spec: { tolerations: [...KUBEADMS, { key: 'mine', operator: 'Exists' }, ...SHORT] } },
      },
    });
  });

  test('that waits for the controller manager of a cloud says so, and to install it', async () => {
    dns({ on: [], unscheduled: '0/5 nodes: untolerated taint {node.cloudprovider.kubernetes.io/uninitialized: true}' });
    const begin = Date.now();
    let looks = 0;
    // Each look is half of all patience later.
    const clock = vi.spyOn(Date, 'now').mockImplementation(() => begin + looks++ * 150_001);
    await expect(spreadDns.apply(context(), { done: false, found: '', changes: [] })).rejects.toMatchObject({
      code: 'KW484',
      message: expect.stringContaining('node.cloudprovider.kubernetes.io/uninitialized'),
      hint: expect.stringMatching(/cloud's controller manager.*install it/),
    });
    clock.mockRestore();
  });

  test('leaves tolerations alone that somebody has set for lost nodes', async () => {
    const own = SHORT.map((each) => ({ ...each, tolerationSeconds: 5 }));
    dns({ on: ['cp-1', 'cp-1'], tolerations: own });
    via.answer('/eviction', () => {
      dns({ on: ['cp-2', 'w-1'], tolerations: own });
      return '';
    });
    await spreadDns.apply(context(), { done: false, found: '', changes: [] });
    expect(via.log).not.toContain('patch deployment');
  });
});
