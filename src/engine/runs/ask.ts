import { setTimeout as sleep } from 'node:timers/promises';
import {
  decodeArrayFromPayloads,
  decodeOptionalFailureToOptionalError,
} from '@temporalio/common/lib/internal-non-workflow/index.js';
import type { temporal } from '@temporalio/proto';
import type { StepHeartbeat } from '../../activities/types.js';
import { ASK_AGAIN, type RunProgress } from '../../workflows/types.js';
import type { Engine, RunStatus, StepActivity } from '../types.js';
import { milliseconds } from './history-fold.js';

/**
 * A worker that lives answers a query in milliseconds; one that is gone lets it wait for the server's own ten seconds.
 */
const QUERY_LIMIT_MS = 3_000;

export type Description = Awaited<ReturnType<ReturnType<Engine['client']['workflow']['getHandle']>['describe']>>;
type Pending = temporal.api.workflow.v1.IPendingActivityInfo;

/** Between two questions, where the first came too early. */
const PAUSE_MS = 200;

/** With a payload key the refusal cannot be read on its way. Queries of ours fail for no other reason. */
const ENCODED = 'Encoded failure';

function cameTooEarly(error: unknown): boolean {
  return error instanceof Error && [ASK_AGAIN, ENCODED].some((words) => error.message.includes(words));
}

/**
 * Asks a run, or a group of one; undefined when nobody answers in time. A run that has just gone to another worker may ask for
 * patience (`early-queries.ts`); it is asked again.
 *
 * @param limitMs longest wait, in milliseconds
 */
export async function askWorkflow(
  engine: Engine,
  workflowId: string,
  runId: string,
  limitMs = QUERY_LIMIT_MS,
): Promise<RunProgress | undefined> {
  const handle = engine.client.workflow.getHandle(workflowId, runId);
  const deadline = Date.now() + limitMs;
  const query = (): Promise<RunProgress> => handle.query<RunProgress>('progress');
  for (;;) {
    try {
      return await engine.client.connection.withDeadline(deadline, query);
    } catch (error) {
      if (!cameTooEarly(error)) return undefined;
      await sleep(PAUSE_MS);
    }
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
