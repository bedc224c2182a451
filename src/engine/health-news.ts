import type { Depth } from '../plan/depth.js';
import type { HeldBy, RunReference } from '../plan/run.js';
import type { HealthReport } from '../workflows/reports.js';
import { closedChecks, type RunReader, reportOf } from './runs/check-reports.js';
import { readerOf } from './runs/history.js';
import { silentSince } from './schedule-keys.js';
import { findSchedule, type HealthSchedule } from './schedules.js';
import { type Told, told } from './told.js';
import type { Engine } from './types.js';

/** What is known of a cluster's health without a look at it. */
export interface HealthNews {
  /** Of the latest check that has looked. */
  report?: HealthReport;
  /** The run of the workflow that made it. */
  reportedBy?: RunReference;
  /** Set where checks behind that one were left out: what holds the cluster. */
  heldBy?: HeldBy;
  /** The cluster's schedule; missing where it has none. */
  schedule?: HealthSchedule;
  /** Since when the schedule should have said something and has not, milliseconds since the epoch. */
  silentSince?: number;
  /** Which checks that is about, where the schedule has quick ones, too. */
  silentDepth?: Depth;
  /** What could not be read, and why: nothing that is missing above is known to be missing then. */
  unread?: { checks?: string; schedule?: string };
}

/**
 * The latest report, what has kept checks from looking since, and whether the schedule still says something. Who may not look at
 * schedules is told the report all the same, and that (`unread`).
 *
 * @throws when Temporal does not list the checks
 */
export async function readHealthNews(engine: Engine, cluster: string, now = Date.now()): Promise<HealthNews> {
  const [schedule, checks] = await Promise.all([
    told(findSchedule(engine, cluster)),
    latestChecks(readerOf(engine), cluster),
  ]);
  return newsOf(schedule, { value: checks }, now);
}

/** The same for who has more to tell: what cannot be read stands in the way of nothing else. */
export async function readHealthNewsAsFarAsTold(
  engine: Engine,
  cluster: string,
  now = Date.now(),
): Promise<HealthNews> {
  const [schedule, checks] = await Promise.all([
    told(findSchedule(engine, cluster)),
    told(latestChecks(readerOf(engine), cluster)),
  ]);
  return newsOf(schedule, checks, now);
}

interface LatestChecks extends Pick<HealthNews, 'report' | 'reportedBy' | 'heldBy'> {
  /** When the latest check ended, milliseconds since the epoch. */
  heard?: number;
  /** When the latest of those ended that were asked for as deep ones. */
  heardDeep?: number;
}

async function latestChecks(reader: RunReader, cluster: string): Promise<LatestChecks> {
  const latest: LatestChecks = { heardDeep: await lastHeard(reader, { cluster, depth: 'deep' }) };
  for await (const check of closedChecks(reader, cluster)) {
    const isLatest = latest.heard === undefined;
    latest.heard ??= check.closedAt;
    const isSkipped = check.memo?.skipped !== undefined;
    if (isSkipped && !isLatest) continue;
    const report = await reportOf(reader, check);
    if (report === undefined) continue;
    if (!isSkipped) {
      const { workflowId, runId } = check;
      return { ...latest, report, reportedBy: { workflowId, runId } };
    }
    if (report.skipped !== undefined) latest.heldBy = report.skipped;
  }
  return latest;
}

/** A cluster's checks that were asked for as ones of this depth. */
interface Checks {
  cluster: string;
  depth: Depth;
}

/** When the latest check ended that was asked for as one of this depth, milliseconds since the epoch; undefined where there is none. */
export async function lastHeard(reader: RunReader, { cluster, depth }: Checks): Promise<number | undefined> {
  for await (const { closedAt } of closedChecks(reader, cluster, { asked: depth, pageSize: 10 })) return closedAt;
  return undefined;
}

function newsOf(schedule: Told<HealthSchedule | undefined>, checks: Told<LatestChecks>, now: number): HealthNews {
  const { heard, heardDeep, ...latest } = checks.value ?? {};
  // Where nobody tells which checks have ended, nobody knows that none has.
  const silence =
    schedule.value !== undefined && checks.why === undefined
      ? silenceIn(schedule.value, { heard, heardDeep }, now)
      : {};
  const unread = {
    ...(checks.why === undefined ? {} : { checks: checks.why }),
    ...(schedule.why === undefined ? {} : { schedule: schedule.why }),
  };
  return {
    ...latest,
    ...(schedule.value === undefined ? {} : { schedule: schedule.value }),
    ...silence,
    ...(Object.keys(unread).length === 0 ? {} : { unread }),
  };
}

/** Deep checks first: of a schedule that says nothing at all they have been missing for the longest time. */
function silenceIn(
  { quick, ...deep }: HealthSchedule,
  { heard, heardDeep }: Pick<LatestChecks, 'heard' | 'heardDeep'>,
  now: number,
): Pick<HealthNews, 'silentSince' | 'silentDepth'> {
  if (quick === undefined) {
    const since = silentSince(deep, heard, now);
    return since === undefined ? {} : { silentSince: since };
  }
  const since = silentSince(deep, heardDeep, now);
  if (since !== undefined) return { silentSince: since, silentDepth: 'deep' };
  const quickSince = silentSince({ ...quick, paused: deep.paused }, heard, now);
  return quickSince === undefined ? {} : { silentSince: quickSince, silentDepth: 'quick' };
}
