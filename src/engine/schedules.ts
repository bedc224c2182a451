import { ScheduleAlreadyRunning, ScheduleNotFoundError, ScheduleOverlapPolicy } from '@temporalio/client';
import type { Cluster } from '../cluster/types.js';
import { KubewrightError } from '../errors.js';
import { OPERATIONS } from '../plan/operations.js';
import { checkIdOf } from './runs/check-reports.js';
import { CHECK_LIMIT, checkAttributes, checkRequest } from './runs/checks.js';
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
}

const PREFIX = 'health/';

/** Whether a schedule of the namespace is one of ours, by its id. */
export function isHealthSchedule(id: string): boolean {
  return id.startsWith(PREFIX);
}

/** A server that was away makes up for no checks that were due meanwhile: only the present counts. */
const CATCH_UP = '10 seconds';

/**
 * Has a cluster checked again and again. A schedule that is there gets the new interval and hosts. One check at a time:
 * while one is under way the next is left out.
 *
 * @param everyMs milliseconds between two checks, at least ten seconds
 * @throws KubewrightError KW605 for a shorter interval
 */
export async function scheduleHealth(engine: Engine, cluster: Cluster, everyMs: number): Promise<HealthSchedule> {
  if (everyMs < SHORTEST_MS) {
    throw new KubewrightError('KW605', `health checks every ${everyMs / 1000} s are too many`, {
      hint: `A check makes a pod on each node and takes some seconds: give at least ${SHORTEST_MS / 1000}s, such as --every 5m.`,
    });
  }
  const { schedule } = engine.client;
  const definition = {
    spec: { intervals: [{ every: everyMs }] },
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
    policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: CATCH_UP },
  };
  const scheduleId = idOf(cluster.name);
  try {
    await schedule.create({ scheduleId, ...definition });
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
    await schedule.getHandle(scheduleId).update((previous) => ({ ...previous, ...definition }));
  }
  return describe(engine, cluster.name);
}

const SHORTEST_MS = 10_000;

/** The schedules of the namespace, by the names of their clusters. */
export async function listHealthSchedules(engine: Engine): Promise<HealthSchedule[]> {
  const found: HealthSchedule[] = [];
  for await (const { scheduleId } of engine.client.schedule.list()) {
    if (isHealthSchedule(scheduleId)) found.push(await describe(engine, scheduleId.slice(PREFIX.length)));
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
  const handle = engine.client.schedule.getHandle(idOf(cluster));
  const by = engine.client.options.identity;
  try {
    if (change === 'pause') await handle.pause(`paused by ${by}`);
    else if (change === 'resume') await handle.unpause(`resumed by ${by}`);
    else await handle.delete();
  } catch (error) {
    if (error instanceof ScheduleNotFoundError) throw noSchedule(cluster);
    throw error;
  }
}

async function describe(engine: Engine, cluster: string): Promise<HealthSchedule> {
  try {
    const { spec, state, info } = await engine.client.schedule.getHandle(idOf(cluster)).describe();
    const [next] = info.nextActionTimes;
    return {
      cluster,
      everyMs: Number(spec.intervals?.[0]?.every ?? 0),
      paused: state.paused,
      ...(state.paused || next === undefined ? {} : { nextAt: next.getTime() }),
    };
  } catch (error) {
    if (error instanceof ScheduleNotFoundError) throw noSchedule(cluster);
    throw error;
  }
}

function idOf(cluster: string): string {
  return `${PREFIX}${cluster}`;
}

function noSchedule(cluster: string): KubewrightError {
  return new KubewrightError('KW606', `${cluster} has no scheduled health checks`, {
    hint: '`kubewright health list` shows those there are; `kubewright health schedule cluster.yaml --every 5m` makes one.',
  });
}
