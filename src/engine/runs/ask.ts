import {
  decodeArrayFromPayloads,
  decodeOptionalFailureToOptionalError,
} from '@temporalio/common/lib/internal-non-workflow/index.js';
import type { temporal } from '@temporalio/proto';
import type { StepHeartbeat } from '../../activities/types.js';
import type { RunProgress } from '../../workflows/types.js';
import type { Engine, RunStatus, StepActivity } from '../types.js';
import { milliseconds } from './history-fold.js';

/**
 * How long a task may wait in the queue of the worker that has its workflow in memory. Behind this the server hands it to any
 * worker, with the whole history; and so it does with a query, whose history may then hold events that no workflow task has been
 * started for. Seen once, at 1,000 hosts: the events of one task reached a group in two portions, so it scheduled its steps in
 * another order than when it was carried out anew, and failed as not deterministic. That such a query was the cause is likely,
 * not proven. So each query here ends before that, and few tasks go that way.
 */
export const STICKY_LIMIT_MS = 5_000;

/** No query waits longer: the rest is for its way there and back. */
export const LONGEST_QUERY_MS = STICKY_LIMIT_MS - 1_000;

/**
 * A worker that lives answers a query in milliseconds; one that is gone lets it wait for the server's own ten seconds.
 */
const QUERY_LIMIT_MS = 3_000;

export type Description = Awaited<ReturnType<ReturnType<Engine['client']['workflow']['getHandle']>['describe']>>;
type Pending = temporal.api.workflow.v1.IPendingActivityInfo;

/**
 * Asks a run, or a group of one; undefined when nobody answers in time.
 *
 * @param limitMs longest wait, in milliseconds; at most `LONGEST_QUERY_MS`
 */
export async function askWorkflow(
  engine: Engine,
  workflowId: string,
  runId: string,
  limitMs = QUERY_LIMIT_MS,
): Promise<RunProgress | undefined> {
  const handle = engine.client.workflow.getHandle(workflowId, runId);
  try {
    const query = (): Promise<RunProgress> => handle.query<RunProgress>('progress');
    return await engine.client.connection.withDeadline(Date.now() + Math.min(limitMs, LONGEST_QUERY_MS), query);
  } catch {
    return undefined;
  }
}

/** The steps that are being tried, of what was described. What was terminated keeps those that it had; nobody tries them. */
export async function pendingActivities(
  engine: Engine,
  description: Description,
): Promise<Record<string, StepActivity>> {
  const isOpen = statusOf(description.status.name) === 'running';
  const pending = isOpen ? (description.raw.pendingActivities ?? []) : [];
  const entries = await Promise.all(
    pending.map(async (one) => [one.activityId ?? '', await stepActivity(engine, one)] as const),
  );
  return Object.fromEntries(entries);
}

/** temporal.api.enums.v1.PendingActivityState of one that a worker carries out now. */
const STARTED = 2;

async function stepActivity(engine: Engine, pending: Pending): Promise<StepActivity> {
  const converter = engine.client.options.loadedDataConverter;
  const [beat] = await decodeArrayFromPayloads(converter, pending.heartbeatDetails?.payloads);
  const heartbeat = beat as StepHeartbeat | undefined;
  const failure = await decodeOptionalFailureToOptionalError(converter, pending.lastFailure);
  const next = pending.nextAttemptScheduleTime;
  const started = pending.state === STARTED ? pending.lastStartedTime : undefined;
  return {
    attempt: pending.attempt ?? 1,
    stage: heartbeat?.stage,
    line: heartbeat?.line,
    failure: failure?.message,
    nextAttemptAt: next ? milliseconds(next) : undefined,
    startedAt: started ? milliseconds(started) : undefined,
    paused: pending.paused ?? undefined,
  };
}

const STATUSES: Record<string, RunStatus> = {
  RUNNING: 'running',
  PAUSED: 'running',
  COMPLETED: 'completed',
  FAILED: 'failed',
  CANCELLED: 'cancelled',
  TERMINATED: 'terminated',
  TIMED_OUT: 'timed-out',
};

export function statusOf(name: string): RunStatus {
  return STATUSES[name] ?? 'running';
}
