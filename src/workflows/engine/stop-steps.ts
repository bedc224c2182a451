import { ActivityFailure } from '@temporalio/common';
import { type ActivityOptions, proxyActivities, workflowInfo } from '@temporalio/workflow';
import type { WorkerActivities } from '../../activities/types.js';
import type { Step } from '../../plan/types.js';
import { stopQueueOf } from './queues.js';
import { BACK_OFF, HEARTBEAT_TIMEOUT, referenceTo, type StepRun, SUMMARY_CHARACTERS } from './recoverable-step.js';

/**
 * Stopping must not hold up an abort: a host that cannot be reached now is named instead. Waiting for a worker and asking
 * the host are bounded apart, so that a busy worker is not taken for a host that does not answer.
 */
const STOP_OPTIONS: ActivityOptions = {
  scheduleToStartTimeout: '1 minute',
  startToCloseTimeout: '30 seconds',
  heartbeatTimeout: HEARTBEAT_TIMEOUT,
  retry: { ...BACK_OFF, maximumAttempts: 2 },
};

/**
 * Stops the durable commands of steps that were running when the run was aborted.
 *
 * @returns the ids of steps whose commands may still run, because their host did not answer
 */
export async function stopSteps(steps: Step[], run: StepRun): Promise<string[]> {
  const taskQueue = stopQueueOf(workflowInfo().taskQueue);
  const left = await Promise.all(
    steps.map(async (step) => {
      const summary = `Stop ${step.id}`.slice(0, SUMMARY_CHARACTERS);
      const { stopStep } = proxyActivities<WorkerActivities>({
        ...STOP_OPTIONS,
        taskQueue,
        activityId: `${step.id}/stop`,
        summary,
      });
      try {
        await stopStep(referenceTo(step, run));
        return [];
      } catch (error) {
        if (error instanceof ActivityFailure) return [step.id];
        throw error;
      }
    }),
  );
  return left.flat();
}
