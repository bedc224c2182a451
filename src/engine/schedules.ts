import { ScheduleAlreadyRunning, ScheduleNotFoundError, ScheduleOverlapPolicy } from '@temporalio/client';
import type { Cluster } from '../cluster/types.js';
import { isKubewrightError, KubewrightError } from '../errors.js';
import { OPERATIONS } from '../plan/operations.js';
import { checkIdOf } from './runs/check-reports.js';
import { CHECK_LIMIT, checkAttributes, checkRequest, latestReport } from './runs/checks.js';
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
}

const PREFIX = 'health/';

/** Whether a schedule of the namespace is one of ours, by its id. */
export function isHealthSchedule(id: string): boolean {
  return id.startsWith(PREFIX);
}

/** Id of a cluster's schedule in Temporal. */
export function scheduleIdOf(cluster: string): string {
  return `${PREFIX}${cluster}`;
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
 * Has a cluster checked again and again. A schedule that is there gets the new interval and hosts. One check at a time:
 * while one is under way the next is left out.
 *
 * @param everyMs milliseconds between two checks, at least ten seconds
 * @throws KubewrightError KW605 for a shorter interval, KW685 for one that is shorter than a check of the healthy cluster took,
 * unless it is the interval of the schedule that is there
 */
export async function scheduleHealth(engine: Engine, cluster: Cluster, everyMs: number): Promise<HealthSchedule> {
  if (everyMs < SHORTEST_MS) {
    throw new KubewrightError('KW605', `health checks every ${everyMs / 1000} s are too many`, {
      hint: `A check makes a pod on each node and takes some seconds: give at least ${SHORTEST_MS / 1000}s, such as --every 5m.`,
    });
  }
  await requireTime(engine, cluster.name, everyMs);
  const { schedule } = engine.client;
  const definition = {
    spec: { intervals: [{ every: everyMs }], jitter: jitterOf(everyMs) },
    action: {
      type: 'startWorkflow' as const,
      workflowType: OPERATIONS.check.workflow,
      workflowId: checkIdOf(cluster.name),
      taskQueue: engine.taskQueue,
      args: [checkRequest(engine, cluster)],
      workflowExecutionTimeout: CHECK_LIMIT,
      workflowTaskTimeout: '5 seconds',
      typedSearchAttributes: checkAttributes(engine, cluster.name),
    },
    policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: catchUpOf(everyMs) },
  };
  const scheduleId = scheduleIdOf(cluster.name);
  try {
    await schedule.create({ scheduleId, ...definition });
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
    await schedule.getHandle(scheduleId).update((previous) => ({ ...previous, ...definition }));
  }
  return describe(engine, cluster.name);
}

const SHORTEST_MS = 10_000;

/** What a check takes only the cluster can say. One of a broken cluster takes longer, and says nothing of that. */
async function requireTime(engine: Engine, cluster: string, everyMs: number): Promise<void> {
  const { verdict, tookMs = 0 } = (await latestReport(engine, cluster)) ?? {};
  if (verdict !== 'ok' || tookMs <= everyMs) return;
  // Made anew as it is, such as for other hosts: nothing gets worse by that.
  if ((await findSchedule(engine, cluster))?.everyMs === everyMs) return;
  const seconds = Math.ceil(tookMs / 1000);
  throw new KubewrightError(
    'KW685',
    `health checks every ${everyMs / 1000} s are too many for ${cluster}: the last one took ${seconds} s`,
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
    if (!isHealthSchedule(scheduleId)) continue;
    // A list still holds for a moment what has just been removed.
    const schedule = await findSchedule(engine, scheduleId.slice(PREFIX.length));
    if (schedule !== undefined) found.push(schedule);
  }
  return found.sort((a, b) => (a.cluster < b.cluster ? -1 : 1));
}

/**
 * Pauses a cluster's health checks, has them go on, or removes them.
 *
 * @throws KubewrightError KW606 when the cluster has no schedule
 */
export async function changeHealthSchedule(
  engine: Engine,
  cluster: string,
  change: 'pause' | 'resume' | 'remove',
): Promise<void> {
  const handle = engine.client.schedule.getHandle(scheduleIdOf(cluster));
  const by = engine.client.options.identity;
  try {
    if (change === 'pause') await handle.pause(`paused by ${by}`);
    else if (change === 'remove') await handle.delete();
    else {
      // As a change of the schedule, so that Temporal notes when it was: it is not silent for the time of its pause.
      await handle.update(({ state, ...previous }) => ({
        ...previous,
        state: { ...state, paused: false, note: `resumed by ${by}` },
      }));
    }
  } catch (error) {
    if (error instanceof ScheduleNotFoundError) throw noSchedule(cluster);
    throw error;
  }
}

async function describe(engine: Engine, cluster: string): Promise<HealthSchedule> {
  try {
    const { spec, state, info } = await engine.client.schedule.getHandle(scheduleIdOf(cluster)).describe();
    const [next] = info.nextActionTimes;
    return {
      cluster,
      everyMs: Number(spec.intervals?.[0]?.every ?? 0),
      paused: state.paused,
      changedAt: (info.lastUpdatedAt ?? info.createdAt).getTime(),
      ...(state.paused || next === undefined ? {} : { nextAt: next.getTime() }),
    };
  } catch (error) {
    if (error instanceof ScheduleNotFoundError) throw noSchedule(cluster);
    throw error;
  }
}

function noSchedule(cluster: string): KubewrightError {
  return new KubewrightError('KW606', `${cluster} has no scheduled health checks`, {
    hint: '`kubewright health list` shows those there are; `kubewright health schedule cluster.yaml --every 5m` makes one.',
  });
}
