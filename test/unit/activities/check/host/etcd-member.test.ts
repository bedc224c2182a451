import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { etcdMember } from '../../../../../src/activities/check/host/etcd-member.js';
import { clusterOf } from '../../../cluster-fixture.js';
import { at, look, useOneHost } from './one-host.js';

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
`;
}

/** Its listener is where the test's server is. */
function ask() {
  return look(etcdMember, MEMBER, { change: (script) => script.replaceAll('/2381', `/${port}`) });
}

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
