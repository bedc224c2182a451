import { describe, expect, it } from 'vitest';
import type { ClusterStatus } from '../../../../src/engine/index.js';
import type { DrillReport } from '../../../../src/plan/drill-report.js';
import { summarise } from '../../../../src/terminal/status/summary.js';
import { clusterOf } from '../../cluster-fixture.js';
import { DRILL } from '../drills.js';
import { blocked, preparing } from '../snapshots.js';
import { AT, reportOf, runOf, sightOf, wellKnown } from './known.js';

const five = clusterOf({ controlPlanes: 3, workers: 2 });
const found = { code: 'KW481', host: 'w-1', evidence: 'w-1 is not Ready', hint: '' };
const withHealth = (health: ClusterStatus['health']) => wellKnown(five, { health });
const unseen = (status: ClusterStatus) => summarise(status).notKnown;

describe('the state of a cluster', () => {
  const report = reportOf(five);
  const schedule = { cluster: 'demo', everyMs: 300_000, paused: false, changedAt: 0 };
  const WITHOUT_ONE = { cluster: 'demo', changed: 7, unchanged: 0, skipped: ['w-1/join'], unreachable: ['w-1'] };
  const cases: [string, string, ClusterStatus][] = [
    ['well', 'that is well', wellKnown()],
    ['well', 'that nobody has checked yet', withHealth({})],
    ['well', 'that checks tell of, and no operation', { ...wellKnown(), run: undefined }],
    ['amiss', 'that is degraded', withHealth({ report: reportOf(five, [found]) })],
    ['amiss', 'that could not be looked at', withHealth({ report: { ...report, verdict: 'unknown' } })],
    ['amiss', 'whose schedule is silent', withHealth({ report, schedule, silentSince: AT })],
    ['amiss', 'whose schedule cannot be read', withHealth({ report, unread: { schedule: 'no' } })],
    ['amiss', 'whose checks cannot be read', withHealth({ unread: { checks: 'no' } })],
    ['amiss', 'whose operation cannot be read', wellKnown(five, { run: undefined, unread: { operation: 'no' } })],
    ['amiss', 'whose operation has failed', wellKnown(five, { run: runOf(blocked(), { status: 'failed' }) })],
    [
      'blocked',
      'with a blocked step, whatever checks say',
      wellKnown(five, { run: runOf(blocked(), { status: 'running' }) }),
    ],
    ['running', 'that is changed', wellKnown(five, { run: runOf(preparing(), { status: 'running' }) })],
    [
      'incomplete',
      'without a host that never answered',
      wellKnown(five, { run: runOf(undefined, { result: WITHOUT_ONE }) }),
    ],
    [
      'amiss',
      'without that host, and degraded',
      { ...withHealth({ report: reportOf(five, [found]) }), run: runOf(undefined, { result: WITHOUT_ONE }) },
    ],
  ];

  it.each(cases)('is %s: one %s', (state, _, status) => {
    expect(summarise(status).state).toBe(state);
  });
});

describe('a drill', () => {
  const problem = { step: 'cluster/power-health', code: 'KW675', message: 'it is not whole', hint: '' };
  const drilled = (drill: Partial<DrillReport>) => summarise(wellKnown(five, { drill: { ...DRILL, ...drill } }));

  it('is told as it was measured, and why it could not be read', () => {
    expect(drilled({}).drill).toEqual(DRILL);
    expect(unseen(wellKnown(five, { unread: { drill: 'no list' } }))).toEqual([
      { what: 'what the last drill has measured', why: 'no list' },
    ]);
  });

  it('that went wrong counts until a later check finds nothing', () => {
    expect(drilled({ at: AT + 1, problems: [problem] }).state).toBe('amiss');
    expect(drilled({ at: AT - 1, problems: [problem] }).state).toBe('well');
    const aborted = (closedAt: number) => runOf(undefined, { operation: 'drill', status: 'failed', closedAt });
    expect(summarise(wellKnown(five, { run: aborted(AT + 1) })).state).toBe('amiss');
    expect(summarise(wellKnown(five, { run: aborted(AT - 1) })).state).toBe('well');
    const install = runOf(undefined, { operation: 'install', status: 'failed', closedAt: AT - 1 });
    expect(summarise(wellKnown(five, { run: install })).state).toBe('amiss');
  });
});

describe('a host', () => {
  const hostOf = (status: ClusterStatus, name: string) => summarise(status).hosts.find((host) => host.name === name);

  it('is told as the check has seen it, with the codes of what was found there, each once', () => {
    const findings = [found, { ...found, code: 'KW650' }, { ...found, code: 'KW650', evidence: 'another unit' }];
    const seen = sightOf(five, { 'w-1': { ready: false }, 'w-2': { kubelet: 'v1.34.2' } });
    const status = withHealth({ report: reportOf(five, findings, seen) });
    const place = { role: 'worker', address: '10.88.0.21' };
    const codes = ['KW481', 'KW650'];
    expect(hostOf(status, 'w-1')).toEqual({ name: 'w-1', ...place, ready: false, kubelet: 'v1.34.3', codes });
    expect(hostOf(status, 'w-2')).toMatchObject({ kubelet: 'v1.34.2', otherVersion: true });
    expect(hostOf(status, 'cp-1')).toMatchObject({ ready: true, kubelet: 'v1.34.3', codes: [] });
  });

  it('that the API does not name is none of the cluster; where not all had room, nothing is known of it', () => {
    const seen = sightOf(clusterOf({ controlPlanes: 3, workers: 1 }));
    expect(hostOf(withHealth({ report: reportOf(five, [], seen) }), 'w-2')).toMatchObject({ ready: false });
    const cut = withHealth({ report: reportOf(five, [], { ...seen, moreNodes: 1 }) });
    expect(hostOf(cut, 'w-2')).not.toHaveProperty('ready');
    expect(unseen(cut)).toMatchObject([{ what: 'how 1 of the nodes are' }]);
  });

  it('is one of the plan where nothing was applied yet', () => {
    const status = { ...wellKnown(five, { applied: undefined, planned: five }), health: {} };
    expect(summarise(status)).toMatchObject({ hosts: { length: 5 }, endpoint: '10.88.0.100:8443' });
    expect(hostOf(status, 'cp-1')).toEqual({ name: 'cp-1', role: 'control-plane', address: '10.88.0.11', codes: [] });
  });
});

describe('what differs', () => {
  it('is told against what was applied, and nothing is where both say the same', () => {
    const cluster = clusterOf(
      { controlPlanes: 3, workers: 1 },
      { kubernetes: { ...five.kubernetes, version: '1.34.4' } },
    );
    expect(summarise(wellKnown(), { path: 'a.yaml', cluster }).differences).toEqual({
      file: 'a.yaml',
      lines: ['kubernetes.version: "1.34.3" → "1.34.4"', 'hosts[w-2]: removed'],
    });
    expect(summarise(wellKnown(), { path: 'a.yaml', cluster: five }).differences?.lines).toEqual([]);
    expect(summarise(wellKnown())).not.toHaveProperty('differences');
  });

  it('is not known where it is not known what was applied, or the file cannot be read', () => {
    const nothing = wellKnown(five, { applied: undefined, planned: five });
    const told = summarise(nothing, { path: 'a.yaml', cluster: five });
    expect(told).not.toHaveProperty('differences');
    expect(told.notKnown).toContainEqual({ what: 'what differs from a.yaml', why: 'what was applied is not known' });
    expect(summarise(wellKnown(), { path: 'a.yaml', unread: 'it is broken' }).notKnown).toEqual([
      { what: 'what differs from a.yaml', why: 'it is broken' },
    ]);
  });
});

describe('what is not known', () => {
  it('is nothing of a cluster that a check has seen', () => {
    expect(unseen(wellKnown())).toEqual([]);
  });

  it('is told with its reason, once', () => {
    const everything = 'who has the virtual IP, who leads etcd and how the nodes are';
    expect(unseen(withHealth({}))).toEqual([{ what: `health, ${everything}`, why: 'no check has looked yet' }]);
    expect(unseen(withHealth({ unread: { checks: 'no list', schedule: 'no schedule' } }))).toEqual([
      { what: 'health', why: 'no list' },
      { what: 'whether checks are scheduled, and whether they still come', why: 'no schedule' },
    ]);
    const { seen: _, ...earlier } = reportOf(five);
    const why = 'the last check is of an earlier version of Kubewright';
    expect(unseen(withHealth({ report: earlier }))).toEqual([{ what: everything, why }]);
    expect(unseen(withHealth({ report: { ...earlier, verdict: 'unknown' } }))).toEqual([
      { what: everything, why: 'the last check could not see that' },
    ]);
    expect(unseen(withHealth({ report: reportOf(five, [], {}) })).map(({ what }) => what)).toEqual([
      'who has the virtual IP',
      'who leads etcd',
      'how the nodes are',
    ]);
  });

  it('is no virtual IP where the load balancer is none of the cluster', () => {
    const endpoint = { address: 'api.example.org', port: 6443 } as never;
    const outside = clusterOf(
      { controlPlanes: 1, workers: 0 },
      { endpoint, loadBalancer: { type: 'external' } as never },
    );
    const { virtualIpHolders: __, ...seen } = sightOf(outside);
    expect(unseen(wellKnown(outside, { health: { report: reportOf(outside, [], seen) } }))).toEqual([]);
  });

  it('is what was applied where no operation ended and no check has read it', () => {
    expect(unseen(wellKnown(five, { applied: undefined, planned: five }))).toMatchObject([
      { what: 'what was applied' },
    ]);
    const failed = wellKnown(five, { applied: undefined, unread: { applied: 'no history' } });
    expect(unseen(failed)).toContainEqual({ what: 'what was applied', why: 'no history' });
  });
});
