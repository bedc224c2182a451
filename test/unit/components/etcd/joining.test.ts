import { beforeEach, describe, expect, test } from 'vitest';
import { no } from '../../../../src/activities/answers.js';
import { takeFence } from '../../../../src/activities/fence.js';
import type { ClusterHost } from '../../../../src/cluster/types.js';
import { planMember, promote } from '../../../../src/components/etcd/external/steps/member-plan.js';
import { BashHosts } from '../../activities/bash-hosts.js';
import { contextAmong, type FakeHost, factLines, fakeHosts, hostIn } from '../../activities/fake-hosts.js';
import { clusterOf } from '../../cluster-fixture.js';

const cluster = clusterOf({ controlPlanes: 1, workers: 0, etcd: 3 });
const third = cluster.hosts.find(({ name }) => name === 'etcd-3') as ClusterHost;
const FIRST = 'a1, started, etcd-1, https://10.88.0.31:2380, https://10.88.0.31:2379, false';
const ANNOUNCED = 'c3, unstarted, , https://10.88.0.33:2380, , true';

const NO_DATA = { data: no('no data'), begunFor: no('nobody') };

let hosts: Map<string, FakeHost>;
let via: FakeHost;

beforeEach(() => {
  hosts = fakeHosts(cluster);
  via = hostIn(hosts, 'etcd-1');
});

const context = () => contextAmong(hosts, cluster, 'startEtcdMember', 'etcd-3');

describe('announcing a member, in a real bash with an etcdctl that remembers', () => {
  /** @param add what `etcdctl member add` does when the member is not in the list yet */
  async function announced(add: string, before = FIRST): Promise<{ adds: number; members: string[]; id?: string }> {
    const bash = new BashHosts(cluster);
    bash.write('etcd-1', 'members', `${before}\n`);
    bash.program('sleep', ':');
    bash.program(
      'etcdctl',
      `[ "$HOST" = etcd-1 ] || exit 1
members=$SHARED/etcd-1/members
case "$*" in
  *'member list'*) cat "$members" ;;
  *'member add'*)
    echo add >>"$SHARED/adds"
    if grep -q 10.88.0.33 "$members"; then echo 'Error: etcdserver: Peer URLs already exists' >&2; exit 1; fi
    tries=$(wc -l <"$SHARED/adds")
    ${add} ;;
esac`,
    );
    const context = bash.context('startEtcdMember', 'etcd-3', new AbortController().signal, () => undefined);
    await takeFence(context);
    const plan = await planMember(context, third, NO_DATA, 0);
    const lines = (text: string) => text.split('\n').filter(Boolean);
    const result = { adds: lines(bash.shared('adds')).length, members: lines(bash.shared('etcd-1/members')) };
    bash.remove();
    return { ...result, id: plan.announced };
  }

  const ADD = `echo '${ANNOUNCED}' >>"$members"`;
  const both = { members: [FIRST, ANNOUNCED], id: 'c3' };

  test('adds it once', async () => {
    expect(await announced(ADD)).toEqual({ adds: 1, ...both });
  });

  test('adds nothing when an attempt before had added it: its URLs exist already', async () => {
    expect(await announced(ADD, `${FIRST}\n${ANNOUNCED}`)).toEqual({ adds: 0, ...both });
  });

  test('believes the list and not the answer, which may be lost after etcd has added it', async () => {
    expect(await announced(`${ADD}; exit 1`)).toEqual({ adds: 1, ...both });
  });

  test('waits while another learner is on its way', async () => {
    const busy = `if [ "$tries" -lt 3 ]; then echo 'etcdserver: too many learner members in cluster' >&2; exit 1; fi`;
    expect(await announced(`${busy}; ${ADD}`)).toEqual({ adds: 3, ...both });
  });
});

describe('promoting a learner', () => {
  const learner = ANNOUNCED.replace('unstarted, ', 'started, etcd-3').replace(
    '2380, ,',
    '2380, https://10.88.0.33:2379,',
  );

  /** An etcd that promotes at the given try, and until then says that the learner is not in sync. */
  function promotesAt(promotion: number, began = learner): () => number {
    let tries = 0;
    let asked = 0;
    let list = [FIRST, began];
    via.answer('member promote', () => {
      tries += 1;
      if (tries < promotion || list[1] === ANNOUNCED)
        return { exitCode: 1, stdout: 'can only promote a learner member which is in sync' };
      list = [FIRST, learner.replace('true', 'false')];
      return '';
    });
    via.answer('ask members member_list', () => {
      asked += 1;
      // One that has not come yet comes a moment later.
      if (asked > 1 && list[1] === ANNOUNCED) list = [FIRST, learner];
      return factLines({ members: list.join('\n') });
    });
    return () => tries;
  }

  test('is tried again, and nothing else is, while it is not in sync with the leader', async () => {
    const tries = promotesAt(3);
    await promote(context(), via.remote, third);
    expect(tries()).toBe(3);
    // A voter is asked, never the learner itself.
    expect(hostIn(hosts, 'etcd-3').scripts).toEqual([]);
    expect(via.log).not.toMatch(/member (add|remove)/);
  });

  test('waits for one that has not come yet', async () => {
    const tries = promotesAt(1, ANNOUNCED);
    await promote(context(), via.remote, third);
    expect(tries()).toBe(1);
  });

  test('of a voter is not asked for', async () => {
    const tries = promotesAt(1, learner.replace('true', 'false'));
    await promote(context(), via.remote, third);
    expect(tries()).toBe(0);
  });
});
