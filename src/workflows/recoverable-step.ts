import { ActivityFailure } from '@temporalio/common';
import {
  type ActivityOptions,
  CancellationScope,
  condition,
  isCancellation,
  proxyActivities,
  sleep,
} from '@temporalio/workflow';
import type { StepInput, StepOutput, WorkerActivities } from '../activities/types.js';
import type { Step } from '../plan/types.js';
import { readFailure, type StepFailure } from './failure.js';
import type { InstallLedger } from './ledger.js';

/** A step is tried twice by itself; the second time after a pause in which a passing cause may pass. */
const TRIES = 2;
const PAUSE_BETWEEN_TRIES = '2 seconds';

/** A summary is at most 200 bytes of UTF-8; a title of 66 characters always fits. */
const SUMMARY_CHARACTERS = 66;

/**
 * How a step's activity runs.
 *
 * - Attempts are unlimited and nothing bounds the time from schedule to close: a lost worker, a missed heartbeat or a
 *   broken connection never counts against a step. Deterministic failures come back non-retryable; `recoverableStep`
 *   counts those.
 * - Heartbeats are sent every second; 8 s without one is a dead worker (less, and a busy machine would be taken for
 *   one).
 * - The back-off ends at 5 s. Both together bound the recovery after `kill -9` to 15 s, also after several in a row,
 *   and a host that comes back is found within 5 s.
 * - A cancelled activity lets go of its host before the workflow goes on (WAIT_CANCELLATION_COMPLETED): the run is not
 *   over, and its name not free for the next install, while something of it still talks to a host. A dead worker delays
 *   that by the heartbeat's timeout at most.
 */
export function stepOptions(step: Step): ActivityOptions {
  return {
    activityId: step.id,
    summary: step.title.slice(0, SUMMARY_CHARACTERS),
    startToCloseTimeout: `${step.timeoutMinutes} minutes`,
    heartbeatTimeout: '8 seconds',
    retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '5 seconds' },
    cancellationType: 'WAIT_CANCELLATION_COMPLETED',
  };
}

export interface StepRun {
  ledger: InstallLedger;
  build: string;
  /** Called after every change of the ledger. */
  publish(): void;
}

/**
 * Carries a step through to its end: waits for what it needs, tries it, parks it when it cannot succeed by itself, and
 * tries again when a person says so. Returns when the step is done or left out; rejects only when the run is cancelled
 * or aborted.
 */
export async function recoverableStep(step: Step, run: StepRun): Promise<void> {
  const { ledger } = run;
  await condition(() => ledger.isReady(step) || ledger.isLeftOut(step));
  let tries = 0;
  while (!ledger.isLeftOut(step)) {
    ledger.started(step);
    run.publish();
    const failure = await attempt(step, run);
    if (failure === undefined) return run.publish();
    tries += 1;
    if (tries < TRIES) {
      await sleep(PAUSE_BETWEEN_TRIES);
    } else if (!ledger.isLeftOut(step)) {
      ledger.parked(step, failure, tries);
      run.publish();
      await condition(() => !ledger.isBlocked(step) || ledger.isLeftOut(step));
      tries = 0;
    }
  }
  ledger.skipped(step);
  run.publish();
}

async function attempt(step: Step, run: StepRun): Promise<StepFailure | undefined> {
  try {
    const output = await carryOut(step, run);
    run.ledger.finished(step, output);
    return undefined;
  } catch (error) {
    // An activity that says "cancelled" when nobody cancelled it is a failure like any other, or its step would be
    // lost.
    if (isCancellation(error) && CancellationScope.current().consideredCancelled) throw error;
    if (error instanceof ActivityFailure) return readFailure(error, step);
    throw error;
  }
}

function carryOut(step: Step, run: StepRun): Promise<StepOutput> {
  const activities = proxyActivities<WorkerActivities>(stepOptions(step));
  return activities[step.action](inputOf(step, run));
}

function inputOf(step: Step, run: StepRun): StepInput {
  return { cluster: run.ledger.cluster(), step, build: run.build };
}

/** Stopping must not hold up an abort: a host that cannot be reached now is named instead. */
const STOP_OPTIONS: ActivityOptions = {
  startToCloseTimeout: '30 seconds',
  scheduleToCloseTimeout: '1 minute',
  heartbeatTimeout: '8 seconds',
  retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '5 seconds' },
};

/**
 * Stops the durable commands of steps that were running when the run was aborted.
 *
 * @returns the ids of steps whose commands may still run, because their host did not answer
 */
export async function stopSteps(steps: Step[], run: StepRun): Promise<string[]> {
  const left = await Promise.all(
    steps.map(async (step) => {
      const summary = `Stop ${step.id}`.slice(0, SUMMARY_CHARACTERS);
      const { stopStep } = proxyActivities<WorkerActivities>({
        ...STOP_OPTIONS,
        activityId: `${step.id}/stop`,
        summary,
      });
      try {
        await stopStep(inputOf(step, run));
        return [];
      } catch (error) {
        if (error instanceof ActivityFailure) return [step.id];
        throw error;
      }
    }),
  );
  return left.flat();
}
