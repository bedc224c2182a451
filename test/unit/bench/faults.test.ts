import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type Gap, gapOf, inTurn, type ProbeKind } from '../../../bench/api-probe.js';
import { FAULTS, type FaultKey } from '../../../bench/faults/faults.js';
import { leaderAmong, type Member, successor } from '../../../bench/faults/leader.js';
import { installGoal, isComplete, recordOf, tableOf } from '../../../bench/faults/report.js';
import type { Measured } from '../../../bench/faults/run.js';
import { chosen, TOPOLOGIES } from '../../../bench/faults/topologies.js';
import { parseStatus } from '../../../src/components/etcd/members/status.js';

const gaps = (version: number, read: number, write: number): Gap[] =>
  Object.entries({ version, read, write }).map(([kind, silentMs]) => ({
    kind: kind as ProbeKind,
    silentMs,
    longestMs: 0,
    answered: 80,
    failed: 0,
  }));

function measured(key: string, more: Partial<Measured> = {}): Measured {
  const [topology] = chosen([key]);
  if (topology === undefined) throw new Error(key);
  return { topology, hosts: 5, installSeconds: 100, outcomes: {}, ...more };
}

function row(table: string, beginning: string): string[] {
  const line = table.split('\n').find((each) => each.startsWith(`| ${beginning}`)) ?? '';
  return line
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim());
}

describe('a topology', () => {
  it('is chosen by its name, in the order of the bench; without names all are', () => {
    expect(chosen(['lvs', 'stacked']).map(({ key }) => key)).toEqual(['stacked', 'lvs']);
    expect(chosen([])).toEqual(TOPOLOGIES);
    expect(() => chosen(['stacked', 'ring'])).toThrow(/no topology ring; there are stacked, external-etcd/);
  });

  it('has a lab of its own, whose name is not too long, and files that exist', () => {
    const labs = TOPOLOGIES.map(({ lab }) => lab);
    expect(new Set(labs).size).toBe(labs.length);
    for (const { lab, options } of TOPOLOGIES) {
      expect(lab).toMatch(/^faults-[a-z]{1,5}$/);
      expect(options.clusterFile === undefined || existsSync(options.clusterFile)).toBe(true);
    }
  });

  const having = (key: FaultKey) => {
    const fault = FAULTS.find((each) => each.key === key);
    return TOPOLOGIES.filter((topology) => fault?.absent(topology) === undefined).map((topology) => topology.key);
  };

  it.each<[FaultKey, string[]]>([
    ['api-server', ['stacked', 'external-etcd', 'static-pods', 'etcd-systemd', 'external', 'lvs']],
    ['haproxy', ['stacked', 'external-etcd', 'static-pods', 'etcd-systemd']],
    ['holder', ['stacked', 'external-etcd', 'static-pods', 'etcd-systemd']],
    ['holder-leads', ['stacked', 'static-pods', 'etcd-systemd']],
    ['leader', ['stacked', 'external-etcd', 'static-pods', 'etcd-systemd', 'external', 'lvs']],
    ['director', ['lvs']],
  ])('has the fault %s where there is what it takes', (key, topologies) => {
    expect(having(key)).toEqual(topologies);
  });
});

describe("etcd's leader", () => {
  const member = (host: string, id: bigint, leader: bigint): Member<string> => ({
    host,
    status: { member: id, leader },
  });
  const members = [member('cp-1', 1n, 2n), member('cp-2', 2n, 2n), member('cp-3', 3n, 2n)];

  it('is read from what etcdctl prints, whose ids have 64 bits', () => {
    const printed =
      '"ClusterID" : 26\n"MemberID" : 6590536180559071444\n"RaftTerm" : 9\n"Leader" : 17251470841240202167\n';
    expect(parseStatus(printed)).toEqual({ member: 6590536180559071444n, leader: 17251470841240202167n });
    expect(parseStatus('context deadline exceeded')).toBeUndefined();
  });

  it('is the one that all members name', () => {
    expect(leaderAmong(members)?.host).toBe('cp-2');
    expect(leaderAmong([...members.slice(0, 2), member('cp-3', 3n, 1n)])).toBeUndefined();
    expect(leaderAmong([])).toBeUndefined();
  });

  it('stays where it may be, and goes to a host that shall lead where it may not', () => {
    expect(successor(members, (host) => host !== 'cp-1')).toBeUndefined();
    expect(successor(members, (host) => host === 'cp-3')?.status.member).toBe(3n);
    expect(successor(members, (host) => host !== 'cp-2')?.host).toBe('cp-1');
    expect(() => successor(members, (host) => host === 'w-1')).toThrow(/none of the hosts/);
  });
});

describe('a gap', () => {
  const sample = (at: number, tookMs: number, ok = true) => ({ at, endedAt: at + tookMs, ok });

  it('is the longest time between two answers, requests that hung and were answered in the end included', () => {
    const hung = [sample(0, 10), sample(100, 1_500), sample(200, 1_400), sample(1_700, 10)];
    expect(gapOf('write', hung)).toMatchObject({ longestMs: 0, silentMs: 1_590, answered: 4, failed: 0 });
    const failed = [sample(0, 10), sample(100, 5, false), sample(200, 2_000, false), sample(300, 20)];
    expect(gapOf('read', failed)).toMatchObject({ longestMs: 300, silentMs: 310, answered: 2, failed: 2 });
  });

  it('is sought by every kind of request at every server, where three of these take turns', () => {
    const servers = ['a', 'b', 'c'];
    const met = [0, 1, 2].flatMap((round) =>
      inTurn(['version', 'read', 'write'], round).map((kind, at) => kind + servers[at]),
    );
    expect(new Set(met).size).toBe(9);
  });

  it('that does not end lasts until the end', () => {
    expect(gapOf('read', [sample(0, 10), sample(100, 2_000, false)]).silentMs).toBe(2_090);
    expect(gapOf('read', []).silentMs).toBe(0);
  });
});

describe('the table', () => {
  const all = [
    measured('stacked', { outcomes: { 'api-server': { gaps: gaps(120, 501, 500), load: 2 } } }),
    measured('external-etcd', {
      hosts: 7,
      installSeconds: 191,
      failed: 'no power',
      outcomes: { leader: { failed: 'x' } },
    }),
    measured('lvs', { hosts: 6, installSeconds: 170, outcomes: { director: { gaps: gaps(900, 1_001, 90), load: 2 } } }),
  ];
  const table = tableOf(all);

  it('has a column for each topology, and marks what misses its goal alone', () => {
    expect(row(table, '`/version`').slice(2)).toEqual(['stacked', 'external-etcd', 'lvs']);
    expect(row(table, 'only the holder').slice(1, 3)).toEqual([
      '≤ 500 (stacked, external-etcd); ≤ 3000 (lvs)',
      '120 / **501** / 500',
    ]);
    expect(row(table, 'the active one').slice(1)).toEqual(['≤ 1000', '—', '—', '900 / **1001** / 90']);
    expect(row(table, 'the holder of the virtual IP')[1]).toBe('≤ 1000 / 1000 / –');
  });

  it('tells how busy the machine was', () => {
    const outcomes = { none: { gaps: [], load: 2.4 }, server: { gaps: [], load: 17.6 } };
    expect(row(tableOf([measured('stacked', { outcomes }), measured('lvs')]), 'load').slice(2)).toEqual(['2–18', '—']);
  });

  it('says why a topology has not a fault, what failed, and what was not come to', () => {
    expect(table).toContain(
      'the active one of two directors loses its power: there are no directors (stacked, external-etcd)',
    );
    expect(table).toContain('failed in external-etcd: no power');
    expect(row(table, "the host of etcd's leader").slice(2)).toEqual(['not measured', 'failed', 'not measured']);
    expect(isComplete(all)).toBe(false);
    expect(isComplete(all.slice(0, 1))).toBe(true);
  });

  it('holds an install against one and a half times the stacked one and the share of its extra hosts', () => {
    expect(all.map((one) => installGoal(one, all))).toEqual([undefined, 190, 170]);
    expect(row(table, 'install').slice(2)).toEqual(['100 s', '**191 s**', '170 s']);
    expect(installGoal(all[1] as Measured, all.slice(1))).toBeUndefined();
    const small = measured('external', { hosts: 4 });
    expect(installGoal(small, [...all, small])).toBe(150);
  });

  it('is a figure for a program too', () => {
    expect(JSON.parse(JSON.stringify(recordOf(all, new Date(0))))).toMatchObject({
      at: '1970-01-01T00:00:00.000Z',
      topologies: [{ topology: 'stacked', faults: { 'api-server': { gaps: gaps(120, 501, 500) } } }, {}, {}],
    });
  });
});

it('npm run bench:faults runs the program that is built from here', () => {
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };
  expect(scripts['bench:faults']).toBe('node scripts/bench-faults.mjs');
  expect(readFileSync('scripts/bench-faults.mjs', 'utf8')).toContain("'bench/faults/index.js'");
  expect(existsSync('bench/faults/index.ts')).toBe(true);
});
