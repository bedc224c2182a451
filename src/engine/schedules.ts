import { ScheduleNotFoundError, ScheduleOverlapPolicy } from '@temporalio/client';
import type { Cluster } from '../cluster/types.js';
import { isKubewrightError, KubewrightError } from '../errors.js';
import type { Depth } from '../plan/depth.js';
import { OPERATIONS } from '../plan/operations.js';
import { checkIdOf } from './runs/check-reports.js';
import { CHECK_LIMIT, checkAttributes, checkRequest, latestReport } from './runs/checks.js';
import { type ScheduleKey, scheduleOfId } from './schedule-keys.js';
import { changeSchedule, handleOf, type ScheduleChange, timingOf, writeSchedule } from './schedule-writing.js';
import type { Engine } from './types.js';

/** A cluster's health checks, as Temporal runs them. */
export interface HealthSchedule {
  /** Name of the cluster. */
  cluster: string;
  /** Milliseconds between two checks. */
  everyMs: number;
  /** Whether it is paused. */
  paused: boolean;
  /** When the next check is due, milliseconds since the epoch; missing while it is paused. */
  nextAt?: number;
  /** When it was made, changed or resumed last, milliseconds since the epoch. */
  changedAt: number;
  /** Quick checks in between, which are paused with the others; missing where there are none. */
  quick?: Pick<HealthSchedule, 'everyMs' | 'nextAt' | 'changedAt'>;
}

/**
 * For how long a check that was due may still begin, in milliseconds. Only the present counts, so no more than one is made up for:
 * the window is as long as the interval, for a check that overlaps another is left out. Temporal's least, ten seconds, is too
 * little: a server that starts again, or has much to do, would drop the check of a whole hour.
 */
function catchUpOf(everyMs: number): number {
  return Math.max(10_000, Math.min(everyMs, 5 * 60_000));
}

/** Temporal counts intervals from 1970: without it all clusters of an interval would be looked at in the same second. */
function jitterOf(everyMs: number): number {
  return Math.min(everyMs / 10, 30_000);
}

/**
 * Has a cluster checked again and again. Schedules that are there get the new intervals and hosts; quick checks that are not asked for
 * any more end. Of each kind one at a time: while one is under way the next is left out.
 *
 * @param everyMs milliseconds between two checks, at least ten seconds
 * @param quickMs milliseconds between two quick ones; left out: none
 * @throws KubewrightError KW605 for a shorter interval, KW607 for quick checks that are no more frequent than the others, KW685 for an
 * interval that is shorter than such a check of the healthy cluster took, unless it is the interval of the schedule that is there
 */
export async function scheduleHealth(
  engine: Engine,
  cluster: Cluster,
  everyMs: number,
  quickMs?: number,
): Promise<HealthSchedule> {
  if (Math.min(everyMs, quickMs ?? everyMs) < SHORTEST_MS) {
    throw new KubewrightError(
      'KW605',
      `health checks every ${Math.min(everyMs, quickMs ?? everyMs) / 1000} s are too many`,
      {
        hint: `A check makes a pod on each node and takes some seconds: give at least ${SHORTEST_MS / 1000}s, such as --every 5m.`,
      },
    );
  }
  if (quickMs !== undefined && quickMs >= everyMs) {
    throw new KubewrightError(
      'KW607',
      `quick checks every ${quickMs / 1000} s beside deep ones every ${everyMs / 1000} s tell nothing that those do not`,
      {
        hint: 'Give quick checks the shorter interval, such as --every 1h --quick-every 1m, or leave --quick-every out.',
      },
    );
  }
  const there = await findSchedule(engine, cluster.name);
  await requireTime(engine, { cluster: cluster.name, depth: 'deep' }, everyMs, there?.everyMs);
  if (quickMs !== undefined) {
    await requireTime(engine, { cluster: cluster.name, depth: 'quick' }, quickMs, there?.quick?.everyMs);
  }
  await write(engine, cluster, 'deep', everyMs);
  if (quickMs !== undefined) await write(engine, cluster, 'quick', quickMs);
  else if (there?.quick !== undefined) await handleOf(engine, { cluster: cluster.name, kind: 'quick' }).delete();
  return describe(engine, cluster.name);
}

async function write(engine: Engine, cluster: Cluster, depth: Depth, everyMs: number): Promise<void> {
  const definition = {
    spec: { intervals: [{ every: everyMs }], jitter: jitterOf(everyMs) },
    action: {
      type: 'startWorkflow' as const,
      workflowType: OPERATIONS.check.workflow,
      workflowId: checkIdOf(cluster.name, depth),
      taskQueue: engine.taskQueue,
      args: [checkRequest(engine, cluster, depth)],
      workflowExecutionTimeout: CHECK_LIMIT,
      workflowTaskTimeout: '5 seconds',
      typedSearchAttributes: checkAttributes(engine, cluster.name),
    },
    policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: catchUpOf(everyMs) },
  };
  await writeSchedule(engine, { cluster: cluster.name, kind: depth }, definition);
}

const SHORTEST_MS = 10_000;

/** What a check takes only the cluster can say. One of a broken cluster takes longer, and says nothing of that. */
async function requireTime(
  engine: Engine,
  { cluster, depth }: { cluster: string; depth: Depth },
  everyMs: number,
  thereMs: number | undefined,
): Promise<void> {
  const { verdict, tookMs = 0 } = (await latestReport(engine, cluster, depth)) ?? {};
  // Made anew as it is, such as for other hosts: nothing gets worse by that.
  if (verdict !== 'ok' || tookMs <= everyMs || thereMs === everyMs) return;
  const seconds = Math.ceil(tookMs / 1000);
  const kind = depth === 'quick' ? 'quick ' : '';
  throw new KubewrightError(
    'KW685',
    `${kind}health checks every ${everyMs / 1000} s are too many for ${cluster}: the last one took ${seconds} s`,
    { hint: `Those that are due while another one runs are left out. Give at least ${Math.ceil(seconds / 10) * 20}s.` },
  );
}

/** The schedule of a cluster; undefined where it has none. */
export async function findSchedule(engine: Engine, cluster: string): Promise<HealthSchedule | undefined> {
  try {
    return await describe(engine, cluster);
  } catch (error) {
    if (isKubewrightError(error) && error.code === 'KW606') return undefined;
    throw error;
  }
}

/** The schedules of the namespace, by the names of their clusters. */
export async function listHealthSchedules(engine: Engine): Promise<HealthSchedule[]> {
  const found: HealthSchedule[] = [];
  for await (const { scheduleId } of engine.client.schedule.list()) {
    const key = scheduleOfId(scheduleId);
    if (key?.kind !== 'deep') continue;
    // A list still holds for a moment what has just been removed.
    const schedule = await findSchedule(engine, key.cluster);
    if (schedule !== undefined) found.push(schedule);
  }
  return found.sort((a, b) => (a.cluster < b.cluster ? -1 : 1));
}

/**
 * Pauses a cluster's health checks, has them go on, or removes them.
 *
 * @throws KubewrightError KW606 when the cluster has no schedule
 */
export async function changeHealthSchedule(engine: Engine, cluster: string, change: ScheduleChange): Promise<void> {
  try {
    await changeSchedule(engine, { cluster, kind: 'deep' }, change);
  } catch (error) {
    if (error instanceof ScheduleNotFoundError) throw noSchedule(cluster);
    throw error;
  }
  await changeSchedule(engine, { cluster, kind: 'quick' }, change).catch((error: unknown) => {
    if (!(error instanceof ScheduleNotFoundError)) throw error;
  });
}

async function describe(engine: Engine, cluster: string): Promise<HealthSchedule> {
  const [deep, quick] = await Promise.all([
    describeOne(engine, { cluster, kind: 'deep' }),
    describeOne(engine, { cluster, kind: 'quick' }),
  ]);
  if (deep === undefined) throw noSchedule(cluster);
  if (quick === undefined) return { cluster, ...deep };
  const { paused: _, ...rhythm } = quick;
  return { cluster, ...deep, quick: rhythm };
}

async function describeOne(engine: Engine, key: ScheduleKey): Promise<Omit<HealthSchedule, 'cluster'> | undefined> {
  try {
    return timingOf(await handleOf(engine, key).describe());
  } catch (error) {
    if (error instanceof ScheduleNotFoundError) return undefined;
    throw error;
  }
}

function noSchedule(cluster: string): KubewrightError {
  return new KubewrightError('KW606', `${cluster} has no scheduled health checks`, {
    hint: '`kubewright health list` shows those there are; `kubewright health schedule cluster.yaml --every 5m` makes one.',
  });
}
