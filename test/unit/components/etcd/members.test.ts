import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { no } from '../../../../src/activities/answers.js';
import { takeFence } from '../../../../src/activities/fence.js';
import type { ClusterHost } from '../../../../src/cluster/types.js';
import { isVoter, type Member, memberOf, parseMembers } from '../../../../src/components/etcd/members/members.js';
import { removeMember, removeStaleLearners } from '../../../../src/components/etcd/members/remove-member.js';
import { BashHosts } from '../../activities/bash-hosts.js';
import { clusterOf } from '../../cluster-fixture.js';

const cluster = clusterOf({ controlPlanes: 3, workers: 0 });
const [first, second, third] = cluster.hosts as [ClusterHost, ClusterHost, ClusterHost];

function line(id: string, host: ClusterHost, { learner = false, clients = true } = {}): string {
  const url = `https://${host.address}`;
  return `${id}, started, ${host.name}, ${url}:2380, ${clients ? `${url}:2379` : ''}, ${learner}`;
}

function membersOf(...lines: string[]): Member[] {
  const answer = parseMembers(lines.join('\n'));
  return answer.is === 'yes' ? answer.value : [];
}

describe('etcdctl member list', () => {
  test('tells voters, learners and those that never came', () => {
    const members = membersOf(
      line('a1', first),
      line('b2', second, { learner: true }),
      'c3, unstarted, , https://10.88.0.13:2380, , false',
    );
    expect(members.map(({ started, learner }) => [started, learner])).toEqual([
      [true, false],
      [true, true],
      [false, false],
    ]);
    expect([first, second, third].map((host) => isVoter(memberOf(members, host)))).toEqual([true, false, false]);
  });

  test('a member of a new cluster that has a name and no client URL yet has not started', () => {
    expect(membersOf(line('a1', first, { clients: false }))[0]?.started).toBe(false);
  });

  test.each([
    ['words that are no list', '{"level":"warn"}\nError: context deadline exceeded'],
    ['nothing', ''],
    ['a list whose last line was cut short', `${line('a1', first)}\n${line('b2', second).slice(0, 20)}`],
    ['a list with a warning in it', `${line('a1', first)}\n{"level":"warn"}`],
  ])('%s is no answer: the member that is asked for may be what is missing', (_, text) => {
    expect(parseMembers(text).is).toBe('unknown');
  });
});

/** An etcd that remembers its members, as `etcdctl` of cp-1 tells them; `alive` are the addresses that answer. */
function etcdOf(lines: string[], alive: ClusterHost[]): BashHosts {
  const hosts = new BashHosts(cluster);
  hosts.write('cp-1', 'members', `${lines.join('\n')}\n`);
  const answering = ['127.0.0.1', ...alive.map(({ address }) => address)].join('|');
  hosts.program(
    'etcdctl',
    `echo "$*" >>"$SHARED/journal"
members=$SHARED/cp-1/members
case $* in
  *'member list'*) cat "$members" ;;
  *'endpoint '*) grep -qE -- '--endpoints=https://(${answering}):' <<<"$*" ;;
  *'member remove'*) sed -i "/^\${*: -1},/d" "$members" ;;
esac`,
  );
  return hosts;
}

const PERMIT = no('nothing of a cluster is on cp-2');

async function contextOn(hosts: BashHosts) {
  const context = hosts.context('joinControlPlane', 'cp-2', new AbortController().signal, () => undefined);
  await takeFence(context);
  return context;
}

describe('taking the member of a replaced host out', () => {
  const all = [line('a1', first), line('b2', second), line('c3', third)];

  async function remaining(
    lines: string[],
    alive: ClusterHost[],
    before: (hosts: BashHosts) => void = () => undefined,
  ) {
    const hosts = etcdOf(lines, alive);
    try {
      const context = await contextOn(hosts);
      before(hosts);
      await removeMember(context, context.hostNamed('cp-1'), second, PERMIT);
      return [...hosts.shared('cp-1/members').matchAll(/^\w+/gm)].map(([id]) => id);
    } finally {
      expect(hosts.shared('journal')).not.toMatch(/member remove (a1|c3)/);
      hosts.remove();
    }
  }

  test('goes by its id, found by the peer URL', async () => {
    expect(await remaining(all, [first, third])).toEqual(['a1', 'c3']);
  });

  test('is nothing to do when there is none', async () => {
    expect(await remaining([line('a1', first), line('c3', third)], [first, third])).toEqual(['a1', 'c3']);
  });

  test('is refused when those that stay would be no quorum', async () => {
    await expect(remaining(all, [first])).rejects.toMatchObject({ code: 'KW470', transient: false });
  });

  test('is refused while the member answers, whatever is said of its host', async () => {
    await expect(remaining(all, [first, second, third])).rejects.toMatchObject({ code: 'KW438', host: 'cp-2' });
  });

  test('of a learner asks for no quorum: it has no vote', async () => {
    expect(await remaining([line('a1', first), line('b2', second, { learner: true })], [])).toEqual(['a1']);
  });

  test('does not happen to one that became a voter since it was looked at', async () => {
    const learner = line('b2', second, { learner: true });
    const hosts = etcdOf([line('a1', first), learner], [first, second]);
    const context = await contextOn(hosts);
    // Promoted after the first list was read: the second one, in the script that removes, tells.
    hosts.program(
      'etcdctl',
      `echo "$*" >>"$SHARED/journal"
[ -e "$SHARED/asked" ] || { touch "$SHARED/asked"; cat "$SHARED/cp-1/members"; exit; }
sed 's/true/false/' "$SHARED/cp-1/members"`,
    );
    await expect(removeMember(context, context.hostNamed('cp-1'), second, PERMIT)).rejects.toMatchObject({
      code: 'KW433',
      transient: true,
    });
    expect(hosts.shared('journal')).not.toContain('member remove');
    hosts.remove();
  });

  test('does not happen when another attempt has taken the host meanwhile, or it was rebooted', async () => {
    const others = (hosts: BashHosts) => hosts.write('cp-2', 'run/kubewright/fence', 'another attempt');
    await expect(remaining(all, [first, third], others)).rejects.toMatchObject({ code: 'KW439', transient: true });
    const rebooted = (hosts: BashHosts) => rmSync(join(hosts.root, 'cp-2/run/kubewright/fence'));
    await expect(remaining(all, [first, third], rebooted)).rejects.toMatchObject({ code: 'KW439' });
  });

  test.each(['exit 1', 'exit 0', 'echo garbage'])('waits while etcd does not tell its members (%s)', async (answer) => {
    const silent = (hosts: BashHosts) => hosts.program('etcdctl', `echo "$*" >>"$SHARED/journal"; ${answer}`);
    await expect(remaining(all, [], silent)).rejects.toMatchObject({ code: 'KW433', transient: true });
  });
});

describe('learners that joins left behind keep every new member out', () => {
  const stranger = { name: 'cp-9', address: '10.88.0.19' } as ClusterHost;

  async function remaining(learners: string[], { alive = [] as ClusterHost[], joining = [] as ClusterHost[] } = {}) {
    const hosts = etcdOf([line('a1', first), ...learners], [first, ...alive]);
    const context = await contextOn(hosts);
    await removeStaleLearners(context, context.hostNamed('cp-1'), joining);
    const members = hosts.shared('cp-1/members');
    hosts.remove();
    return [...members.matchAll(/^\w+/gm)].map(([id]) => id);
  }

  test('those of hosts of this cluster go, whether they answer or not', async () => {
    expect(await remaining([line('c3', third, { learner: true })], { alive: [third] })).toEqual(['a1']);
  });

  test('one of a host that is no longer in cluster.yaml goes when it is dead, or never came', async () => {
    expect(await remaining([line('d9', stranger, { learner: true })])).toEqual(['a1']);
    expect(await remaining(['d9, unstarted, , https://10.88.0.19:2380, , true'], { alive: [stranger] })).toEqual([
      'a1',
    ]);
  });

  test('one of a stranger that answers stays: somebody may keep it on purpose', async () => {
    const answers = { alive: [stranger] };
    expect(await remaining([line('d9', stranger, { learner: true })], answers)).toEqual(['a1', 'd9']);
  });

  test('those on their way stay, and so does every voter', async () => {
    const lines = [line('b2', second), line('c3', third, { learner: true })];
    expect(await remaining(lines, { joining: [third] })).toEqual(['a1', 'b2', 'c3']);
  });
});
