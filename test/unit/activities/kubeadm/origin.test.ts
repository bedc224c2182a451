import { describe, expect, test } from 'vitest';
import { no, unknown, yes } from '../../../../src/activities/answers.js';
import { originOf } from '../../../../src/activities/kubeadm/origin.js';
import type { Cluster, ClusterHost } from '../../../../src/cluster/types.js';
import { clusterOf } from '../../cluster-fixture.js';
import { contextAmong, type FakeHost, fakeHosts, hostIn } from '../fake-hosts.js';

type State = 'ready' | 'silent' | 'blank' | 'away';

function put(host: FakeHost, state: State): void {
  host.reachable = state !== 'away';
  if (state === 'ready') host.fact('ready', 'ok');
  if (state !== 'blank') host.fact('initialised', '');
}

function origin(
  states: [State, State],
  blank: boolean,
  cluster: Cluster = clusterOf({ controlPlanes: 3, workers: 0 }),
) {
  const hosts = fakeHosts(cluster);
  put(hostIn(hosts, 'cp-2'), states[0]);
  put(hostIn(hosts, 'cp-3'), states[1]);
  const [self] = cluster.hosts as [ClusterHost];
  const context = contextAmong(hosts, cluster, 'initControlPlane', 'cp-1');
  return { hosts, context, self, answer: () => originOf(context, self, blank ? no('blank') : yes(''), 0) };
}

describe('whether kubeadm init may run', () => {
  test.each<[State, State]>([
    ['ready', 'blank'],
    ['blank', 'ready'],
    ['away', 'ready'],
    ['silent', 'ready'],
  ])('never when another control plane is ready (%s, %s), replaced or not', async (...states) => {
    expect(await origin(states, true).answer()).toBe('elsewhere');
    expect(await origin(states, false).answer()).toBe('elsewhere');
  });

  test('on blank hosts', async () => {
    expect(await origin(['blank', 'blank'], true).answer()).toBe('here');
  });

  test.each<[State, State]>([
    ['blank', 'blank'],
    ['silent', 'blank'],
    ['away', 'away'],
  ])('where it has begun it goes on, whatever the others are (%s, %s)', async (...states) => {
    expect(await origin(states, false).answer()).toBe('here');
  });

  test.each([
    ['this host', (hosts: Map<string, FakeHost>) => hosts, unknown('its disk does not answer'), 'KW433'],
    [
      'another one',
      (hosts: Map<string, FakeHost>) => hostIn(hosts, 'cp-2').cannotTell('initialised'),
      no('blank'),
      'KW466',
    ],
  ])('not while %s does not tell whether a cluster is on it', async (_, break_, traces, code) => {
    const { hosts, context, self } = origin(['blank', 'blank'], true);
    break_(hosts);
    await expect(originOf(context, self, traces, 0)).rejects.toMatchObject({ code, transient: true });
  });

  test('not on a new host while the cluster elsewhere is silent', async () => {
    await expect(origin(['silent', 'blank'], true).answer()).rejects.toMatchObject({
      code: 'KW465',
      transient: false,
      message: expect.stringContaining('cp-2'),
    });
  });

  test('not on a new host while one that may have the cluster is away; it goes on when that is back', async () => {
    await expect(origin(['away', 'blank'], true).answer()).rejects.toMatchObject({ code: 'KW466', transient: true });
  });
});

describe('with external etcd', () => {
  const cluster = clusterOf({ controlPlanes: 3, workers: 0, etcd: 3 });

  test('not when etcd has the data of a cluster whose certificates nobody has', async () => {
    const { hosts, answer } = origin(['blank', 'blank'], true, cluster);
    hostIn(hosts, 'cp-1').fact('keys', '"Count" : 312');
    await expect(answer()).rejects.toMatchObject({ code: 'KW467' });
  });

  test('on an empty etcd', async () => {
    const { hosts, answer } = origin(['blank', 'blank'], true, cluster);
    hostIn(hosts, 'cp-1').fact('keys', '"ClusterID" : 7\n"Count" : 0');
    expect(await answer()).toBe('here');
  });

  test.each(['', '"Cou', 'Error: context deadline exceeded'])('not when etcd says %j', async (said) => {
    const { hosts, answer } = origin(['blank', 'blank'], true, cluster);
    hostIn(hosts, 'cp-1').fact('keys', said);
    await expect(answer()).rejects.toMatchObject({ code: 'KW433', transient: true });
  });
});
