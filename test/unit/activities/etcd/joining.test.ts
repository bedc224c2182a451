import { execFile } from 'node:child_process';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { planMember, promote } from '../../../../src/activities/etcd/member-plan.js';
import type { ClusterHost } from '../../../../src/cluster/types.js';
import { clusterOf } from '../../cluster-fixture.js';
import { contextAmong, type FakeHost, fakeHosts, hostIn } from '../fake-hosts.js';

const cluster = clusterOf({ controlPlanes: 1, workers: 0, etcd: 3 });
const third = cluster.hosts.find(({ name }) => name === 'etcd-3') as ClusterHost;
const FIRST = 'a1, started, etcd-1, https://10.88.0.31:2380, https://10.88.0.31:2379, false';
const ANNOUNCED = 'c3, unstarted, , https://10.88.0.33:2380, , true';

let hosts: Map<string, FakeHost>;
let via: FakeHost;

beforeEach(() => {
  hosts = fakeHosts(cluster);
  via = hostIn(hosts, 'etcd-1');
});

const context = () => contextAmong(hosts, cluster, 'startEtcdMember', 'etcd-3');

describe('announcing a member, in a real bash with an etcdctl that remembers', () => {
  let root: string;

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'kubewright-etcd-'));
    await writeFile(join(root, 'members'), `${FIRST}\n`);
  });

  afterEach(() => rm(root, { recursive: true, force: true }));

  async function program(name: string, body: string): Promise<void> {
    await writeFile(join(root, name), `#!/bin/bash\n${body}\n`);
    await chmod(join(root, name), 0o755);
  }

  /** @param add what `etcdctl member add` does when the member is not in the list yet */
  async function announced(add: string): Promise<{ code: number; adds: number; members: string[] }> {
    await program('sleep', ':');
    await program(
      'etcdctl',
      `case "$*" in
  *'member list'*) cat ${root}/members ;;
  *'member add'*)
    echo add >>${root}/adds
    if grep -q 10.88.0.33 ${root}/members; then echo 'Error: etcdserver: Peer URLs already exists' >&2; exit 1; fi
    tries=$(wc -l <${root}/adds)
    ${add} ;;
esac`,
    );
    via.answer('member_list', FIRST).answer('member list', FIRST);
    await planMember(context(), third, false, 0);
    const script = via.scripts.find((each) => each.script.includes('member add'))?.script ?? '';
    const env = { PATH: `${root}:${process.env.PATH}` };
    const code = await promisify(execFile)('bash', ['-c', script], { env }).then(
      () => 0,
      (error: { code: number }) => error.code,
    );
    const read = async (file: string) =>
      (await readFile(join(root, file), 'utf8').catch(() => '')).split('\n').filter(Boolean);
    return { code, adds: (await read('adds')).length, members: await read('members') };
  }

  const ADD = `echo '${ANNOUNCED}' >>"$(dirname "$0")/members"`;

  test('adds it once', async () => {
    expect(await announced(ADD)).toEqual({ code: 0, adds: 1, members: [FIRST, ANNOUNCED] });
  });

  test('adds nothing when an attempt before had added it: its URLs exist already', async () => {
    await writeFile(join(root, 'members'), `${FIRST}\n${ANNOUNCED}\n`);
    expect(await announced(ADD)).toEqual({ code: 0, adds: 0, members: [FIRST, ANNOUNCED] });
  });

  test('believes the list and not the answer, which may be lost after etcd has added it', async () => {
    expect(await announced(`${ADD}; exit 1`)).toEqual({ code: 0, adds: 1, members: [FIRST, ANNOUNCED] });
  });

  test('waits while another learner is on its way', async () => {
    const busy = `if [ "$tries" -lt 3 ]; then echo 'etcdserver: too many learner members in cluster' >&2; exit 1; fi`;
    expect(await announced(`${busy}; ${ADD}`)).toEqual({ code: 0, adds: 3, members: [FIRST, ANNOUNCED] });
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
    via.answer('member_list', () => {
      asked += 1;
      // One that has not come yet comes a moment later.
      if (asked > 1 && list[1] === ANNOUNCED) list = [FIRST, learner];
      return list.join('\n');
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
