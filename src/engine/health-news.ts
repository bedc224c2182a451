import type { HeldBy } from '../plan/run.js';
import type { HealthReport } from '../workflows/types.js';
import { closedChecks, reportOf } from './runs/check-reports.js';
import { readerOf } from './runs/history.js';
import { findSchedule, type HealthSchedule } from './schedules.js';
import type { Engine } from './types.js';

/** What is known of a cluster's health without a look at it. */
export interface HealthNews {
  /** Of the latest check that has looked. */
  report?: HealthReport;
  /** Set where checks behind that one were left out: what holds the cluster. */
  heldBy?: HeldBy;
  /** The cluster's schedule; missing where it has none. */
  schedule?: HealthSchedule;
  /** Since when the schedule should have said something and has not, milliseconds since the epoch. */
  silentSince?: number;
}

/** The latest report, what has kept checks from looking since, and whether the schedule still says something. */
export async function readHealthNews(engine: Engine, cluster: string, now = Date.now()): Promise<HealthNews> {
  const reader = readerOf(engine);
  // Who may not look at schedules is shown the report all the same.
  const schedule = await findSchedule(engine, cluster).catch(() => undefined);
  let [heard, heldBy, report]: [number?, HeldBy?, HealthReport?] = [];
  for await (const check of closedChecks(reader, cluster)) {
    const isLatest = heard === undefined;
    heard ??= check.closedAt;
    const isSkipped = check.memo?.skipped !== undefined;
    if (isSkipped && !isLatest) continue;
    const told = await reportOf(reader, check);
    if (isSkipped) heldBy = told?.skipped;
    else report = told;
    if (report !== undefined) break;
  }
  const silent = schedule && silentSince(schedule, heard, now);
  return {
    ...(report === undefined ? {} : { report }),
    ...(heldBy === undefined ? {} : { heldBy }),
    ...(schedule === undefined ? {} : { schedule }),
    ...(silent === undefined ? {} : { silentSince: silent }),
  };
}

/** So many intervals without a word are no chance: one check may be left out while another one runs. */
const INTERVALS = 3;
/** What a check may take itself: of a broken cluster it waits half a minute for hosts that are away, and looks twice. */
const ALLOWANCE_MS = 2 * 60_000;

/**
 * Since when a schedule is silent; undefined while it is not. A schedule that does nothing any more still names a next time on
 * some servers (temporal#11869), so its word counts for nothing: what has ended does, be it that a check was left out. Pure.
 *
 * @param heard when the latest check ended, milliseconds since the epoch
 */
export function silentSince(
  { everyMs, paused, changedAt }: Pick<HealthSchedule, 'everyMs' | 'paused' | 'changedAt'>,
  heard: number | undefined,
  now: number,
): number | undefined {
  const since = Math.max(heard ?? 0, changedAt);
  return !paused && now - since > INTERVALS * everyMs + ALLOWANCE_MS ? since : undefined;
}
