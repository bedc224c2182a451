import type { NativeConnection } from '@temporalio/worker';
import type { DeepLook, Depth } from '../../plan/depth.js';
import { operationOf } from '../../plan/operations.js';
import type { CheckBackground, HeldBy } from '../../plan/run.js';
import type { Sight } from '../../plan/sight.js';
import { EVIDENCE_KEPT, type KnownFinding, keyOf } from '../../plan/since.js';
import type { ToldChannels } from '../../plan/told.js';
import { minuteOf, seenSince, type Trends } from '../../plan/trends.js';
import type { HealthReport } from '../../workflows/reports.js';
import { knowsHealth } from '../search-attributes.js';
import { workflowIdOf } from '../types.js';
import { type ClosedCheck, closedChecks, type RunReader, reportOf } from './check-reports.js';
import { milliseconds } from './history-fold.js';

/** A worker's way to Temporal. */
export type BackgroundReader = RunReader &
  Pick<NativeConnection, 'workflowService'> &
  Partial<Pick<NativeConnection, 'operatorService'>>;

/** Temporal answers in milliseconds; a check waits no longer for what it can do without. */
const PATIENCE_MS = 5_000;

/** Reports that are read for one in which something could be looked at. */
const READ_BACK = 10;
/** Checks whose memos are looked at for those: an install that waits for a person has all of a week left out. */
const LOOKED_THROUGH = 2_000;

/**
 * What Temporal knows of a cluster that is to be checked. The reports of earlier checks are what carries `since` from one check
 * to the next: they are there anyway, they last as long as the namespace's retention, and checks by schedule and by hand go on from
 * each other. (Temporal hands a schedule's last result to the next run, but not what a person has asked for in between; a workflow
 * of its own would be one more thing to keep alive for each cluster.) Lists of runs may lag by a second: a check right behind another
 * one may then take an older report, or what is new for new once more.
 *
 * It never fails: what is not told in five seconds is missing.
 */
export async function readBackground(
  reader: BackgroundReader,
  cluster: string,
  depth: Depth = 'deep',
): Promise<CheckBackground> {
  const [known, told, operation = {}, healthAttribute, deep] = await Promise.all([
    orNothing(knownBefore(reader, cluster)),
    orNothing(toldLast(reader, cluster)),
    orNothing(lastOperation(reader, cluster)),
    orNothing(knowsHealth(reader, reader.namespace)),
    depth === 'quick' ? orNothing(deepLook(reader, cluster)) : undefined,
  ]);
  const { during } = operation;
  const before = quietly(known?.seen, operation);
  return {
    ...(known === undefined ? {} : { previous: known.findings }),
    ...(before === undefined ? {} : { before }),
    ...(told === undefined ? {} : { told }),
    ...(during === undefined ? {} : { during }),
    ...(deep === undefined ? {} : { deep }),
    healthAttribute: healthAttribute === true,
  };
}

async function orNothing<T>(reading: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), PATIENCE_MS);
  });
  try {
    return await Promise.race([reading, late]);
  } catch {
    return undefined;
  } finally {
    clearTimeout(timer);
  }
}

/** What checks before have left. */
interface KnownBefore {
  findings: KnownFinding[];
  /** Of the last one that was not left out. */
  seen?: Sight;
}

/**
 * Of the last check; and where that could look at nothing, of those before it up to one that could: what was wrong before a
 * network was lost is no new fault when it is back.
 */
async function knownBefore(reader: RunReader, cluster: string): Promise<KnownBefore> {
  let last: HealthReport | undefined;
  const known = new Map<string, KnownFinding[]>();
  let [seen, read] = [0, 0];
  for await (const check of closedChecks(reader, cluster, { pageSize: 100 })) {
    seen += 1;
    if (seen > LOOKED_THROUGH || read >= READ_BACK) break;
    if (check.memo?.skipped !== undefined) continue;
    read += 1;
    const report = await reportOf(reader, check);
    if (report === undefined) continue;
    last ??= report;
    const older = new Map(known);
    for (const finding of knownFrom(report)) {
      const key = keyOf(finding);
      if (!older.has(key)) known.set(key, [...(known.get(key) ?? []), finding]);
    }
    if (report.verdict !== 'unknown') break;
  }
  return { findings: [...known.values()].flat(), ...(last?.seen === undefined ? {} : { seen: last.seen }) };
}

/**
 * What is known of a cluster while nothing changes it: images that an install unpacks are no trend, and leaders that a drill has stopped
 * are no trouble. Undefined where that is nothing.
 */
function quietly(seen: Sight | undefined, { during, endedAt }: LastOperation): Trends | undefined {
  if (seen === undefined || during !== undefined) return undefined;
  // Of the minute in which it ended, nobody knows on which side a sample is.
  const { disks = [], members = [] } = endedAt === undefined ? seen : seenSince(seen, minuteOf(endedAt) + 1);
  return disks.length + members.length === 0 ? undefined : { disks, members };
}

/**
 * From the memo of the last check that has told, or could have; empty where none of the last ones has. Those that were left out
 * say nothing of it, nor do those that could not read it themselves.
 */
async function toldLast(reader: RunReader, cluster: string): Promise<ToldChannels> {
  let [seen, looked] = [0, 0];
  for await (const { memo } of closedChecks(reader, cluster, { pageSize: 100 })) {
    if (memo?.told !== undefined) return memo.told;
    seen += 1;
    if (memo?.skipped === undefined) looked += 1;
    if (seen >= LOOKED_THROUGH || looked >= READ_BACK) break;
  }
  return {};
}

/** Of the latest check that was no quick one, whoever asked for it; undefined where there is none. */
async function deepLook(reader: RunReader, cluster: string): Promise<DeepLook | undefined> {
  // One that was asked for as a quick one may have become a deep one: those are among the latest, or do not matter.
  return (
    (await deepAmong(reader, closedChecks(reader, cluster, { pageSize: READ_BACK }), READ_BACK)) ??
    deepAmong(reader, closedChecks(reader, cluster, { asked: 'deep', pageSize: READ_BACK }), LOOKED_THROUGH)
  );
}

async function deepAmong(
  reader: RunReader,
  checks: AsyncIterable<ClosedCheck>,
  most: number,
): Promise<DeepLook | undefined> {
  let seen = 0;
  for await (const check of checks) {
    seen += 1;
    if (seen > most) return undefined;
    if (check.memo?.depth === 'quick' || check.memo?.skipped !== undefined) continue;
    const report = await reportOf(reader, check);
    if (report !== undefined) return { at: report.at, findings: report.findings };
  }
  return undefined;
}

function knownFrom({ findings, at }: HealthReport): KnownFinding[] {
  return findings.map(({ code, host, evidence, since = at }) => ({
    code,
    host,
    evidence: evidence.slice(0, EVIDENCE_KEPT),
    since,
  }));
}

/** temporal.api.enums.v1.WorkflowExecutionStatus. */
const RUNNING = 1;

/** What has changed a cluster last, as far as Temporal knows. */
interface LastOperation {
  /** Set while it runs. */
  during?: HeldBy;
  /** Set when it has ended, milliseconds since the epoch. */
  endedAt?: number;
}

/** @throws when Temporal has no such run, or does not answer */
async function lastOperation(
  { workflowService, namespace }: BackgroundReader,
  cluster: string,
): Promise<LastOperation> {
  const workflowId = workflowIdOf(cluster);
  const { workflowExecutionInfo } = await workflowService.describeWorkflowExecution({
    namespace,
    execution: { workflowId },
  });
  const operation = operationOf(workflowExecutionInfo?.type?.name ?? '');
  if (workflowExecutionInfo == null || operation === undefined) return {};
  const { status, startTime, closeTime } = workflowExecutionInfo;
  if (status === RUNNING) return { during: { operation, workflowId, since: milliseconds(startTime) } };
  return closeTime == null ? {} : { endedAt: milliseconds(closeTime) };
}
