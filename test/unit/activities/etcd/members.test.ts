import { describe, expect, test } from 'vitest';
import { isVoter, memberOf, parseMembers } from '../../../../src/activities/etcd/members.js';
import { removeMember, removeStaleLearners } from '../../../../src/activities/etcd/remove-member.js';
import type { ClusterHost } from '../../../../src/cluster/types.js';
import { clusterOf } from '../../cluster-fixture.js';
import { contextAmong, fakeHosts, hostIn } from '../fake-hosts.js';

const cluster = clusterOf({ controlPlanes: 3, workers: 0 });
const [first, second, third] = cluster.hosts as [ClusterHost, ClusterHost, ClusterHost];

function line(id: string, host: ClusterHost, { learner = false, clients = true } = {}): string {
  const url = `https://${host.address}`;
  return `${id}, started, ${host.name}, ${url}:2380, ${clients ? `${url}:2379` : ''}, ${learner}`;
}

describe('etcdctl member list', () => {
  test('tells voters, learners and those that never came', () => {
    const members = parseMembers(
      [
        line('a1', first),
        line('b2', second, { learner: true }),
        'c3, unstarted, , https://10.88.0.13:2380, , false',
      ].join('\n'),
    );
    expect(members.map(({ started, learner }) => [started, learner])).toEqual([
      [true, false],
      [true, true],
      [false, false],
    ]);
    expect([first, second, third].map((host) => isVoter(memberOf(members, host)))).toEqual([true, false, false]);
  });

  test('a member of a new cluster that has a name and no client URL yet has not started', () => {
    expect(parseMembers(line('a1', first, { clients: false }))[0]?.started).toBe(false);
  });

  test('words that are no list are no members', () => {
    expect(parseMembers('{"level":"warn"}\nError: context deadline exceeded\n')).toEqual([]);
  });
});

describe('taking the member of a replaced host out', () => {
  function withMembers(lines: string[], healthy: string[]) {
    const hosts = fakeHosts(cluster);
    const via = hostIn(hosts, 'cp-1')
      .answer('endpoint health', healthy.join('\n'))
      .answer('member list', lines.join('\n'));
    return {
      via,
      remove: () => removeMember(contextAmong(hosts, cluster, 'joinControlPlane', 'cp-2'), via.remote, second),
    };
  }

  test('goes by its id, found by the peer URL', async () => {
    const { via, remove } = withMembers([line('a1', first), line('b2', second), line('c3', third)], ['a1', 'c3']);
    await remove();
    expect(via.scripts.at(-1)?.script).toMatch(/member remove b2$/);
  });

  test('is nothing to do when there is none', async () => {
    const { via, remove } = withMembers([line('a1', first), line('c3', third)], ['a1', 'c3']);
    await remove();
    expect(via.log).not.toContain('member remove');
  });

  test('is refused when those that stay would be no quorum', async () => {
    const { via, remove } = withMembers([line('a1', first), line('b2', second), line('c3', third)], ['a1']);
    await expect(remove()).rejects.toMatchObject({ code: 'KW470', transient: false });
    expect(via.log).not.toContain('member remove');
  });

  test('of a learner asks for no quorum: it has no vote', async () => {
    const { via, remove } = withMembers([line('a1', first), line('b2', second, { learner: true })], []);
    await remove();
    expect(via.log).toContain('member remove b2');
  });
});

describe('learners that joins left behind keep every new member out', () => {
  const stranger = { name: 'cp-9', address: '10.88.0.19' } as ClusterHost;

  async function remaining(learners: string[], { answering = false, joining = [] as ClusterHost[] } = {}) {
    const hosts = fakeHosts(cluster);
    const via = hostIn(hosts, 'cp-1')
      .answer('endpoint status', { exitCode: answering ? 0 : 1 })
      .answer('member list', [line('a1', first), ...learners].join('\n'));
    await removeStaleLearners(contextAmong(hosts, cluster, 'joinControlPlane', 'cp-2'), via.remote, joining);
    return [...via.log.matchAll(/member remove (\w+)/g)].map(([, id]) => id);
  }

  test('those of hosts of this cluster go, whether they answer or not', async () => {
    expect(await remaining([line('c3', third, { learner: true })], { answering: true })).toEqual(['c3']);
  });

  test('one of a host that is no longer in cluster.yaml goes when it is dead, or never came', async () => {
    expect(await remaining([line('d9', stranger, { learner: true })])).toEqual(['d9']);
    expect(await remaining(['d9, unstarted, , https://10.88.0.19:2380, , true'], { answering: true })).toEqual(['d9']);
  });

  test('one of a stranger that answers stays: somebody may keep it on purpose', async () => {
    expect(await remaining([line('d9', stranger, { learner: true })], { answering: true })).toEqual([]);
  });

  test('those on their way stay, and so does every voter', async () => {
    const lines = [line('b2', second), line('c3', third, { learner: true })];
    expect(await remaining(lines, { joining: [third] })).toEqual([]);
  });
});
