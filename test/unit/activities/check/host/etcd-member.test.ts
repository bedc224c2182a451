import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Concern } from '../../../../../src/activities/check/host/concern.js';
import { etcdLatency } from '../../../../../src/activities/check/host/etcd-latency.js';
import { etcdMember } from '../../../../../src/activities/check/host/etcd-member.js';
import type { MemberTrend } from '../../../../../src/plan/etcd-trend.js';
import { clusterOf } from '../../../cluster-fixture.js';
import { at, look, seen, useOneHost } from './one-host.js';

useOneHost();

const CLUSTER = clusterOf({ controlPlanes: 1, workers: 1 });
const MEMBER = at(CLUSTER, 'cp-1');

const MIB = 2 ** 20;
const HEALTH = '/health?serializable=true';

let server: Server;
let port: number;
let answers: Record<string, string>;

beforeEach(async () => {
  answers = { [HEALTH]: '{"health":"true","reason":""}\n', '/metrics': metrics({}) };
  server = createServer(({ url = '' }, response) => response.end(answers[url] ?? ''));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as AddressInfo).port;
});

afterEach(() => void server.close());

function metrics({ leader = 1, quota = 2_048, size = 100, used = 50 }): string {
  return `# HELP etcd_server_has_leader Whether or not a leader exists. 1 is existence, 0 is not.
# TYPE etcd_server_has_leader gauge
etcd_server_has_leader ${leader}
etcd_server_quota_backend_bytes ${(quota * MIB).toExponential()}
etcd_mvcc_db_total_size_in_bytes ${size * MIB}
etcd_mvcc_db_total_size_in_use_in_bytes ${used * MIB}
etcd_network_peer_sent_failures_total{To="x"} 0
${disk()}`;
}

interface Disk {
  fsyncs?: number;
  stuck?: number;
  leaders?: number;
  startedAt?: number;
}

/** As etcd's listener has them: of each histogram all buckets, and what else begins with the same words. */
function disk({ fsyncs = 100_000, stuck = 100, leaders = 3, startedAt = 1_700_000_000.25 }: Disk = {}): string {
  const bounds = [0.256, 0.512, 1.024, 2.048];
  const histogram = (name: string) =>
    [...bounds.map((bound): [string, number] => [String(bound), fsyncs - stuck]), ['+Inf', fsyncs] as const]
      .map(([bound, count]) => `${name}_bucket{le="${bound}"} ${count}`)
      .concat(`${name}_sum 12.5`, `${name}_count ${fsyncs}`)
      .join('\n');
  return `${histogram('etcd_disk_wal_fsync_duration_seconds')}
${histogram('etcd_disk_backend_commit_duration_seconds')}
etcd_server_leader_changes_seen_total ${leaders}
process_start_time_seconds ${startedAt.toExponential()}
`;
}

/** Its listener is where the test's server is. */
function ask() {
  return look(etcdMember, MEMBER, { change: (script) => script.replaceAll('/2381', `/${port}`) });
}

describe("the disk of etcd's member", () => {
  const NOW = 30_000_000 * 60_000;
  const other = { change: (script: string) => script.replaceAll('/2381', `/${port}`) };
  /** Both look at one answer. */
  const disks: Concern = { ...etcdLatency, questions: etcdMember.questions };
  const knowing = (trend: MemberTrend) => ({ ...MEMBER, before: { members: [trend] } });

  it('is told of by what it has counted, from its start on', async () => {
    expect(await seen(disks, MEMBER, { ...other, now: NOW })).toEqual({
      members: [
        {
          host: 'cp-1',
          startedAt: 1_700_000_000,
          samples: [[30_000_000, 100_000, 100, 100, 100_000, 100, 3]],
        },
      ],
    });
    expect(await look(disks, MEMBER, other)).toEqual([]);
    expect(await seen(disks, at(CLUSTER, 'w-1'), other)).toEqual({});
  });

  it('that keeps it waiting since the check before is told, and not what was before', async () => {
    const { members: [trend] = [] } = await seen(disks, MEMBER, { ...other, now: NOW });
    if (trend === undefined) throw new Error('nothing was seen');
    const later = { ...other, now: NOW + 12 * 60_000 };
    answers['/metrics'] = metrics({}) + disk({ fsyncs: 102_000, stuck: 150 });
    expect(await look(disks, MEMBER, later)).toEqual([]);
    expect(await look(disks, knowing(trend), later)).toMatchObject([
      {
        code: 'KW666',
        evidence:
          "etcd's disk is slow: an fsync of its write-ahead log took more than 1.024 s for 2.5 % of them in the last 12 min",
      },
    ]);
    expect((await seen(disks, knowing(trend), later)).members?.[0]?.samples).toHaveLength(2);
    answers['/metrics'] = metrics({}) + disk({ fsyncs: 102_000, stuck: 150, startedAt: 1_700_009_000 });
    expect(await look(disks, knowing(trend), later)).toEqual([]);
  });

  it('of which its metrics tell nothing is not known, and one that does not answer is told elsewhere', async () => {
    answers['/metrics'] = metrics({}).replaceAll('_bucket', '_other');
    expect(await look(disks, MEMBER, other)).toMatchObject([
      { code: 'KW642', evidence: expect.stringContaining('how long fsyncs and commits take') },
    ]);
    expect(await seen(disks, MEMBER, other)).toEqual({});
    await new Promise((resolve) => server.close(resolve));
    expect(await look(disks, MEMBER, other)).toEqual([]);
  });
});

describe('the member of etcd', () => {
  it('that has a leader and room is no fault, and hosts without one are not asked', async () => {
    expect(await ask()).toEqual([]);
    expect(etcdMember.questions(at(CLUSTER, 'w-1'))).toBe('');
    expect(etcdMember.judge(at(CLUSTER, 'w-1'), { facts: undefined as never, sentAt: 0, answeredAt: 0 })).toEqual([]);
  });

  it('is not asked where a person has moved its listener', () => {
    const extraArgs = [{ name: 'listen-metrics-urls', value: 'http://10.0.0.1:2381' }];
    const moved = { ...CLUSTER, etcd: { ...CLUSTER.etcd, extraArgs } } as typeof CLUSTER;
    expect(etcdMember.questions(at(moved, 'cp-1'))).toBe('');
  });

  it('without a leader is told', async () => {
    answers['/metrics'] = metrics({ leader: 0 });
    answers[HEALTH] = '{"health":"false","reason":"RAFT NO LEADER"}';
    expect(await ask()).toMatchObject([{ code: 'KW660' }]);
  });

  it('whose database nears its quota is told, with what of it is in use', async () => {
    answers['/metrics'] = metrics({ size: 1_700, used: 200 });
    expect(await ask()).toMatchObject([
      {
        code: 'KW661',
        evidence: "etcd's database has 83 % of its quota (1700 MiB of 2048 MiB, 200 MiB of them in use)",
      },
    ]);
    answers['/metrics'] = metrics({ size: 1_600 });
    expect(await ask()).toEqual([]);
  });

  it('with an alarm is told', async () => {
    answers[HEALTH] = '{"health":"false","reason":"ALARM NOSPACE"}';
    expect(await ask()).toMatchObject([{ code: 'KW662', evidence: expect.stringContaining('ALARM NOSPACE') }]);
  });

  it('that is not well for another reason is told with it', async () => {
    answers[HEALTH] = '{"health":"false","reason":"RANGE ERROR:etcdserver: request timed out"}';
    expect(await ask()).toMatchObject([
      { code: 'KW663', evidence: expect.stringContaining('RANGE ERROR:etcdserver: request timed out') },
    ]);
    answers[HEALTH] = '{"health":"false"}';
    expect(await ask()).toMatchObject([{ code: 'KW663' }]);
    // The metrics do not say so: it is told here.
    answers[HEALTH] = '{"health":"false","reason":"RAFT NO LEADER"}';
    expect(await ask()).toMatchObject([{ code: 'KW663', evidence: expect.stringContaining('RAFT NO LEADER') }]);
    answers[HEALTH] = '{"health":"perhaps"}';
    expect(await ask()).toMatchObject([{ code: 'KW642' }]);
  });

  it('that says nothing is never taken for a good one', async () => {
    answers = {};
    expect(await ask()).toMatchObject([{ code: 'KW642' }, { code: 'KW642' }, { code: 'KW642' }]);
    await new Promise((resolve) => server.close(resolve));
    expect(await ask()).toMatchObject([{ code: 'KW642', evidence: expect.stringContaining('nothing answers') }]);
  });
});
