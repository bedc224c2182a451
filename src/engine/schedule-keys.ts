import type { Depth } from '../plan/depth.js';

/** What a schedule has done again and again: a health check of a depth, or a drill. */
export type ScheduleKind = Depth | 'drill';

/** One of the schedules that a cluster can have. */
export interface ScheduleKey {
  cluster: string;
  kind: ScheduleKind;
}

const CHECKS = 'health/';
const DRILLS = 'drill/';

/** No cluster's name has a slash in it. */
const QUICK = '/quick';

/** Whether a schedule of the namespace is one of ours, by its id. */
export function isOurSchedule(id: string): boolean {
  return scheduleOfId(id) !== undefined;
}

/** Id of a schedule in Temporal. */
export function scheduleIdOf({ cluster, kind }: ScheduleKey): string {
  if (kind === 'drill') return `${DRILLS}${cluster}`;
  return `${CHECKS}${cluster}${kind === 'quick' ? QUICK : ''}`;
}

/** Which schedule an id of Temporal's is; undefined where it is none of ours. */
export function scheduleOfId(id: string): ScheduleKey | undefined {
  if (id.startsWith(DRILLS)) return { cluster: id.slice(DRILLS.length), kind: 'drill' };
  if (!id.startsWith(CHECKS)) return undefined;
  const rest = id.slice(CHECKS.length);
  return rest.endsWith(QUICK)
    ? { cluster: rest.slice(0, -QUICK.length), kind: 'quick' }
    : { cluster: rest, kind: 'deep' };
}

/** When a schedule that goes on has to have said something. */
interface Rhythm {
  /** So many intervals without a word are no chance. */
  intervals: number;
  /** And so many milliseconds besides. */
  allowanceMs: number;
}

/**
 * One check may be left out while another one runs, and of a broken cluster one waits half a minute for hosts that are away and looks
 * twice. A drill says something when it begins, and each interval has one; ten minutes are those of a server that starts again.
 */
const RHYTHMS: Readonly<Record<ScheduleKind, Rhythm>> = {
  deep: { intervals: 3, allowanceMs: 2 * 60_000 },
  quick: { intervals: 3, allowanceMs: 2 * 60_000 },
  drill: { intervals: 1, allowanceMs: 10 * 60_000 },
};

/** What is known of a schedule that may be silent. Times are milliseconds. */
export interface ScheduleTiming {
  everyMs: number;
  paused: boolean;
  /** When it was made, changed or resumed last. */
  changedAt: number;
}

/**
 * Since when a schedule is silent; undefined while it is not. A schedule that does nothing any more still names a next time on
 * some servers (temporal#11869), so its word counts for nothing: what has come of it does. Pure.
 *
 * @param heard when the latest check ended, be it that it was left out, or the latest drill began; milliseconds since the epoch
 */
export function silentSince(
  { everyMs, paused, changedAt }: ScheduleTiming,
  heard: number | undefined,
  now: number,
  kind: ScheduleKind = 'deep',
): number | undefined {
  const { intervals, allowanceMs } = RHYTHMS[kind];
  const since = Math.max(heard ?? 0, changedAt);
  return !paused && now - since > intervals * everyMs + allowanceMs ? since : undefined;
}
