import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import type { StepReference } from '../plan/run.js';
import type { FailureDetails } from './failure.js';
import type { StepHeartbeat } from './types.js';

/**
 * What a failed try hands to Temporal. A failure that may heal by itself stays retryable until it has lasted for the
 * run's patience, one try after the other; then it is handed to the workflow, which asks a person and tries on.
 *
 * Since when is kept in the heartbeat's details, which Temporal hands to the next try, on whichever worker that is. A
 * try that went well for as long as patience lasts ends the trouble before it.
 *
 * @param began when this try began, milliseconds since the epoch
 */
export function withPatience(
  failure: ApplicationFailure,
  { patienceMs }: Pick<StepReference, 'patienceMs'>,
  began: number,
): ApplicationFailure {
  if (failure.nonRetryable || patienceMs === undefined) return failure;
  const activity = Context.current();
  const now = Date.now();
  const last = activity.info.heartbeatDetails as StepHeartbeat | undefined;
  const since = now - began < patienceMs ? (last?.troubleSince ?? now) : now;
  if (now - since < patienceMs) {
    activity.heartbeat({ stage: 'probe', line: '', ...last, troubleSince: since } satisfies StepHeartbeat);
    return failure;
  }
  const details: Partial<FailureDetails> = { ...(failure.details?.[0] as object | undefined), waitedMs: now - since };
  return ApplicationFailure.create({
    message: failure.message,
    type: failure.type ?? undefined,
    nonRetryable: true,
    details: [details],
  });
}

/** Since when the tries before this one have failed; to be put into each of its heartbeats. */
export function troubleBefore(): Pick<StepHeartbeat, 'troubleSince'> {
  const last = Context.current().info.heartbeatDetails as StepHeartbeat | undefined;
  return last?.troubleSince === undefined ? {} : { troubleSince: last.troubleSince };
}
