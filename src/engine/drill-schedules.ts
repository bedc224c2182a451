import { type ScheduleDescription, ScheduleNotFoundError, ScheduleOverlapPolicy } from '@temporalio/client';
import { TypedSearchAttributes } from '@temporalio/common';
import type { Cluster } from '../cluster/types.js';
import { KubewrightError } from '../errors.js';
import type { DrillOptions } from '../plan/drill.js';
import { type DrillRequest, SCHEDULED_DRILL } from '../plan/scheduled-drill.js';
import { CLUSTER, OPERATION, STATE } from '../workflows/engine/search-attributes.js';
import { type ScheduleKey, scheduleOfId } from './schedule-keys.js';
import { changeSchedule, handleOf, type ScheduleChange, timingOf, writeSchedule } from './schedule-writing.js';
import type { Engine } from './types.js';

/** A cluster's drills, as Temporal runs them. */
export interface DrillSchedule {
  /** Name of the cluster. */
  cluster: string;
  /** Milliseconds between two drills. */
  everyMs: number;
  /** Whether it is paused. */
  paused: boolean;
  /** When the next drill is due, milliseconds since the epoch; missing while it is paused. */
  nextAt?: number;
  /** When it was made, changed or resumed last, milliseconds since the epoch. */
  changedAt: number;
  /** What each of them does. */
  options: DrillOptions;
  /** When it began one last, or tried to, milliseconds since the epoch; missing where it has not since it was made. */
  beganAt?: number;
  /** Whether one that it began is under way. */
  underWay: boolean;
}

/** When drills are due. Milliseconds. */
export interface DrillRhythm {
  /** Between two of them. */
  everyMs: number;
  /** When the first one is due, since the epoch; at most one interval away. */
  firstAt: number;
}

const DAY_MS = 24 * 60 * 60_000;

/**
 * Temporal's least, ten seconds: a drill that was due during an outage must not come in the middle of the recovery. It is left out; the
 * next one comes one interval later.
 */
const CATCH_UP_MS = 10_000;

const keyOf = (cluster: string): ScheduleKey => ({ cluster, kind: 'drill' });

/**
 * @throws KubewrightError KW119 for an interval shorter than a day: a kubelet waits longer with each crash of a container, and somebody is to
 * read what came of the last drill before the next one
 */
export function requireDrillInterval(everyMs: number): void {
  if (everyMs >= DAY_MS) return;
  throw new KubewrightError('KW119', `drills every ${Math.round(everyMs / 60_000)} minutes are too many`, {
    hint: 'Each breaks the cluster for some minutes, and somebody should read what came of it: give at least 1d, such as --every 30d.',
  });
}

/**
 * Has a cluster drilled again and again, at the minute, one at a time. A schedule that is there gets what is new.
 *
 * @throws KubewrightError KW119 for an interval shorter than a day
 */
export async function scheduleDrills(
  engine: Engine,
  { places: _, ...known }: Cluster,
  { everyMs, firstAt }: DrillRhythm,
  options: DrillOptions = {},
): Promise<DrillSchedule> {
  requireDrillInterval(everyMs);
  const { searchAttributes, taskQueue } = engine;
  const request: DrillRequest = { known, searchAttributes, options };
  const key = keyOf(known.name);
  await writeSchedule(engine, key, {
    spec: { intervals: [{ every: everyMs, offset: firstAt % everyMs }] },
    action: {
      type: 'startWorkflow',
      workflowType: SCHEDULED_DRILL,
      workflowId: `drill/${known.name}`,
      taskQueue,
      args: [request],
      workflowTaskTimeout: '5 seconds',
      typedSearchAttributes: searchAttributes ? startAttributes(known.name) : undefined,
    },
    policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: CATCH_UP_MS },
  });
  return scheduleOf(known.name, await handleOf(engine, key).describe());
}

function startAttributes(cluster: string): TypedSearchAttributes {
  return new TypedSearchAttributes([
    { key: CLUSTER, value: cluster },
    { key: OPERATION, value: 'drill' },
    { key: STATE, value: 'running' },
  ]);
}

/** The schedule of a cluster's drills; undefined where it has none. */
export async function findDrillSchedule(engine: Engine, cluster: string): Promise<DrillSchedule | undefined> {
  try {
    return scheduleOf(cluster, await handleOf(engine, keyOf(cluster)).describe());
  } catch (error) {
    if (error instanceof ScheduleNotFoundError) return undefined;
    throw error;
  }
}

function scheduleOf(cluster: string, described: ScheduleDescription): DrillSchedule {
  const { action, info } = described;
  const [request] = (action.type === 'startWorkflow' ? action.args : undefined) ?? [];
  const last = info.recentActions.at(-1);
  return {
    cluster,
    ...timingOf(described),
    options: (request as DrillRequest | undefined)?.options ?? {},
    ...(last === undefined ? {} : { beganAt: last.takenAt.getTime() }),
    underWay: info.runningActions.length > 0,
  };
}

/** The schedules of drills of the namespace, by the names of their clusters. */
export async function listDrillSchedules(engine: Engine): Promise<DrillSchedule[]> {
  const found: DrillSchedule[] = [];
  for await (const { scheduleId } of engine.client.schedule.list()) {
    const key = scheduleOfId(scheduleId);
    if (key?.kind !== 'drill') continue;
    // A list still holds for a moment what has just been removed.
    const schedule = await findDrillSchedule(engine, key.cluster);
    if (schedule !== undefined) found.push(schedule);
  }
  return found.sort((a, b) => (a.cluster < b.cluster ? -1 : 1));
}

/**
 * Pauses a cluster's drills, has them go on, or removes them. One that is under way goes on.
 *
 * @throws KubewrightError KW120 when the cluster has no such schedule
 */
export async function changeDrillSchedule(engine: Engine, cluster: string, change: ScheduleChange): Promise<void> {
  try {
    await changeSchedule(engine, keyOf(cluster), change);
  } catch (error) {
    if (!(error instanceof ScheduleNotFoundError)) throw error;
    throw new KubewrightError('KW120', `${cluster} has no scheduled drills`, {
      hint: '`kubewright drill list` shows those there are; `kubewright drill schedule NAME --every 30d` makes one.',
    });
  }
}
