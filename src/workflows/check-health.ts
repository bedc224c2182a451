import { continueAsNew, patched, proxyActivities, upsertMemo, upsertSearchAttributes } from '@temporalio/workflow';
import type { WorkerActivities } from '../activities/types.js';
import { leaderFindings } from '../plan/etcd-trend.js';
import { componentVerdicts, verdictOf } from '../plan/findings.js';
import type { CheckRequest, HealthFinding, RunInput, SkippedCheck } from '../plan/run.js';
import type { SeenTwice } from '../plan/seen-twice.js';
import { fitting, type Sight } from '../plan/sight.js';
import { withSince } from '../plan/since.js';
import { snapshotFindings } from '../plan/snapshot-age.js';
import { channelsOf } from '../plan/told.js';
import { carriedOn } from '../plan/trends.js';
import { BACK_OFF, HEARTBEAT_TIMEOUT } from './engine/recoverable-step.js';
import { run } from './engine/run.js';
import { HEALTH, STATE } from './engine/search-attributes.js';
import { reportToWorker } from './health-sinks.js';
import { HEALTH_MEMO, type HealthMemo, type HealthReport } from './reports.js';
import { lookAgain } from './second-look.js';
import { tellNotifiers } from './tell-notifiers.js';

/**
 * Looks at a cluster and changes nothing; what is wrong is told in the report, and nobody is asked. It is planned first, by a
 * worker, from what was applied last; the run behind that holds cluster and plan in its first event, as any other does.
 */
export async function checkHealth(input: CheckRequest | RunInput): Promise<HealthReport> {
  if ('known' in input) return plannedFirst(input);
  const { findings = [], more = 0, failed = [], seen: first } = await run(input);
  const found = { findings: [...(input.findings ?? []), ...findings], more, failed, seen: first };
  // Checks that began with earlier code have looked once, and left nothing in their memo.
  const looksTwice = patched('second-look');
  const twice = looksTwice ? await lookAgain(input, found) : { ...found, fleeting: 0 };
  const seen = seenAt(Date.now(), input, twice.seen);
  const looked = {
    ...twice,
    findings: [...twice.findings, ...ofWholeCluster(input, twice.seen)],
    seen,
    failed,
    looks: input.plan.map(({ id }) => id),
    standing: input.check?.deep?.findings ?? [],
  };
  const report = await withTelling(input, reportOf(input, looked));
  const told = report.told === undefined ? {} : { told: report.told };
  if (looksTwice) {
    const depth = input.check?.deep === undefined ? {} : { depth: 'quick' as const };
    leaveMemo({ verdict: report.verdict, components: componentVerdicts(withStanding(looked)), ...told, ...depth });
  }
  if (input.searchAttributes === true) {
    const health = input.check?.healthAttribute === true ? [{ key: HEALTH, value: report.verdict }] : [];
    const state = report.verdict === 'ok' ? 'healthy' : 'unhealthy';
    upsertSearchAttributes([{ key: STATE, value: state }, ...health]);
  }
  reportToWorker(report);
  return report;
}

async function plannedFirst(request: CheckRequest): Promise<HealthReport> {
  // When a worker took it up: the wait for one is no part of what a check takes.
  const begunAt = Date.now();
  const { prepareCheck } = proxyActivities<WorkerActivities>({
    activityId: 'cluster/prepare-check',
    summary: 'Read what was applied last, and plan the check',
    startToCloseTimeout: '2 minutes',
    heartbeatTimeout: HEARTBEAT_TIMEOUT,
    retry: { ...BACK_OFF, maximumAttempts: 5 },
  });
  const planned = await prepareCheck(request);
  if ('skipped' in planned) return skippedReport(request, planned);
  return continueAsNew<typeof checkHealth>({ ...planned, check: { ...planned.check, begunAt } });
}

function skippedReport({ known, searchAttributes }: CheckRequest, { skipped }: SkippedCheck): HealthReport {
  if (searchAttributes === true) upsertSearchAttributes([{ key: STATE, value: 'skipped' }]);
  leaveMemo({ skipped: skipped.operation });
  return { cluster: known.name, at: Date.now(), verdict: 'unknown', looks: 0, findings: [], skipped };
}

interface LookedTwice extends SeenTwice {
  looks: string[];
  failed: string[];
  seen?: Sight;
  /** Of a quick check: what the latest deep one has found where this one did not look. */
  standing: HealthFinding[];
}

/** What was seen, with the trends of hosts that could not be asked this time, as much of it as fits. */
function seenAt(at: number, { cluster, check }: RunInput, seen: Sight | undefined): Sight | undefined {
  const hosts = cluster.hosts.map(({ name }) => name);
  const trends = carriedOn(seen ?? {}, check?.before ?? {}, { hosts, at });
  const all = { ...seen, ...trends };
  return Object.keys(all).length === 0 ? undefined : fitting(all);
}

/** What no look at a single host can say; of what this check has seen itself, not of what was carried on. */
function ofWholeCluster({ check }: RunInput, seen: Sight = {}): HealthFinding[] {
  const snapshots = check?.snapshots;
  return [
    ...leaderFindings(seen.members ?? []),
    ...(snapshots === undefined ? [] : snapshotFindings(snapshots, seen.snapshots ?? [], Date.now())),
  ];
}

function withStanding(looked: LookedTwice): LookedTwice {
  return { ...looked, findings: [...looked.findings, ...looked.standing] };
}

function reportOf({ cluster, check }: RunInput, looked: LookedTwice): HealthReport {
  const { more, fleeting, seen } = looked;
  const at = Date.now();
  const known = [...withSince(looked.findings, check?.previous ?? [], at), ...looked.standing];
  const hosts = known.filter(({ host }) => host !== null);
  const whole = known.filter(({ host }) => host === null);
  return {
    cluster: cluster.name,
    at,
    verdict: verdictOf(withStanding(looked)),
    looks: looked.looks.length,
    findings: [...hosts, ...whole],
    ...(more === 0 ? {} : { more }),
    ...(fleeting === 0 ? {} : { fleeting }),
    ...(seen === undefined ? {} : { seen }),
    ...(check?.deep === undefined ? {} : { deepAt: check.deep.at }),
    ...(check?.begunAt === undefined ? {} : { tookMs: at - check.begunAt }),
    ...(check?.during === undefined ? {} : { during: check.during }),
  };
}

/** The report with what came of telling the channels of its file. Neither changes the verdict. */
async function withTelling(input: RunInput, report: HealthReport): Promise<HealthReport> {
  if (channelsOf(input.cluster.health).length === 0 || !patched('notify')) return report;
  const { told, findings } = await tellNotifiers(input, report);
  const untold = withSince(findings, input.check?.previous ?? [], report.at);
  return { ...report, findings: [...report.findings, ...untold], ...(told === undefined ? {} : { told }) };
}

/** What lists show of a check without reading its report. */
function leaveMemo(memo: HealthMemo): void {
  upsertMemo({ [HEALTH_MEMO]: memo });
}
