import { describe, expect, test } from 'vitest';
import { requireControlPlane } from '../../../../src/activities/kubeadm/control-plane.js';
import { clusterOf } from '../../cluster-fixture.js';
import { contextAmong, type FakeHost, fakeHosts, hostIn } from '../fake-hosts.js';

type State = 'ready' | 'silent' | 'away';

function put(host: FakeHost, state: State): void {
  host.reachable = state !== 'away';
  if (state === 'ready') host.fact('ready', 'ok');
  host.fact('initialised', '');
}

function required(first: State, second: State) {
  const cluster = clusterOf({ controlPlanes: 3, workers: 0 });
  const hosts = fakeHosts(cluster);
  put(hostIn(hosts, 'cp-1'), first);
  put(hostIn(hosts, 'cp-2'), second);
  const self = cluster.hosts.find(({ name }) => name === 'cp-3');
  return requireControlPlane(contextAmong(hosts, cluster, 'joinControlPlane', 'cp-3'), self, 0);
}

describe('a control plane to join through', () => {
  test('is any that is ready', async () => {
    expect((await required('away', 'ready')).host.name).toBe('cp-2');
  });

  test('is waited for, and is no fault of the step, while none can be reached', async () => {
    await expect(required('away', 'away')).rejects.toMatchObject({ code: 'KW464', transient: true });
  });

  test('is a person’s matter when one of two voters is lost: etcd has no quorum, and waiting will not give it one', async () => {
    await expect(required('silent', 'away')).rejects.toMatchObject({
      code: 'KW464',
      transient: false,
      message: expect.stringMatching(/cp-1 not ready: .*; cp-2 unreachable: /),
      hint: expect.stringMatching(/no quorum without cp-2.*docs\/topologies\.md/),
    });
  });
});
