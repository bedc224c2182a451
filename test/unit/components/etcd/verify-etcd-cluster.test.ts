import { describe, expect, test } from 'vitest';
import { verifyEtcdCluster } from '../../../../src/components/etcd/members/verifyEtcdCluster.js';
import { contextAmong, fakeHosts, hostIn } from '../../activities/fake-hosts.js';
import { clusterOf } from '../../cluster-fixture.js';

const cluster = clusterOf({ controlPlanes: 3, workers: 1 });

const HEALTHY = cluster.hosts
  .slice(0, 3)
  .map(
    ({ name, address }, index) =>
      `a${index}, started, ${name}, https://${address}:2380, https://${address}:2379, false`,
  );

function probeWith(members: string[], { healthy = true, clusters = members.map(() => '1') } = {}) {
  const hosts = fakeHosts(cluster);
  const host = hostIn(hosts, 'cp-1').fact('members', members.join('\n'));
  host.fact(
    'status',
    JSON.stringify(clusters.map((id) => ({ header: { cluster_id: id } }))).replaceAll(/"(\d+)"/g, '$1'),
  );
  if (healthy) host.fact('health', '');
  return verifyEtcdCluster.probe(contextAmong(hosts, cluster, 'verifyEtcdCluster', null));
}

describe('etcd is healthy', () => {
  test('when every host has a voter of the same cluster', async () => {
    expect(await probeWith(HEALTHY)).toMatchObject({
      done: true,
      found: 'etcd has 3 members, all of them healthy voters',
    });
  });

  test.each([
    ['a learner', [...HEALTHY.slice(0, 2), HEALTHY[2]?.replace('false', 'true') ?? ''], 'cp-3 is a learner'],
    ['a missing member', HEALTHY.slice(0, 2), 'cp-3 is no member'],
    [
      'one that never came',
      [...HEALTHY.slice(0, 2), 'a2, unstarted, , https://10.88.0.13:2380, , false'],
      'cp-3 was announced and never came',
    ],
    [
      'a stranger',
      [...HEALTHY, 'a9, started, old, https://10.88.0.99:2380, https://10.88.0.99:2379, false'],
      'old is a member that cluster.yaml does not have',
    ],
  ])('not with %s', async (_, members, fault) => {
    expect(await probeWith(members)).toMatchObject({ done: false, found: fault });
  });

  test('not when a member does not answer', async () => {
    expect(await probeWith(HEALTHY, { healthy: false })).toMatchObject({
      done: false,
      found: 'not every member answers',
    });
  });

  test.each([
    ['nothing', []],
    ['only some members', ['1', '1']],
  ])('not when %s tells which cluster it belongs to', async (_, clusters) => {
    expect(await probeWith(HEALTHY, { clusters })).toMatchObject({
      done: false,
      found: `only ${clusters.length} of 3 members tell which cluster they belong to`,
    });
  });

  test('not when members belong to two clusters, told by ids that no JavaScript number holds', async () => {
    const clusters = ['14841639068965178418', '14841639068965178419', '14841639068965178418'];
    expect(await probeWith(HEALTHY, { clusters })).toMatchObject({
      done: false,
      found: 'members belong to different clusters',
    });
  });
});

test('a host that is away is not the end: the next one is asked', async () => {
  const hosts = fakeHosts(cluster);
  hostIn(hosts, 'cp-1').reachable = false;
  const status = HEALTHY.map(() => '{"cluster_id":1}').join();
  hostIn(hosts, 'cp-2').fact('members', HEALTHY.join('\n')).fact('health', '').fact('status', status);
  const probe = await verifyEtcdCluster.probe(contextAmong(hosts, cluster, 'verifyEtcdCluster', null));
  expect(probe.done).toBe(true);
});
