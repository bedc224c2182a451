import { ActivityFailure } from '@temporalio/common';
import { isCancellation, proxyActivities, sleep, workflowInfo } from '@temporalio/workflow';
import type { WorkerActivities } from '../activities/types.js';
import type { Looked } from '../plan/findings.js';
import type { RunInput, StepReference } from '../plan/run.js';
import { type Seen, type SeenTwice, seenTwice } from '../plan/seen-twice.js';
import { type Sight, together } from '../plan/sight.js';
import type { Step } from '../plan/types.js';
import { stepOptions } from './engine/recoverable-step.js';

/** Long enough for an election or for a pod that starts anew, short beside the time between two checks. */
const PAUSE = '5 seconds';

/** What more looks than these have found is not one bad look. */
const LOOKED_AT_AGAIN = 50;

/** What the first looks have come to. */
interface LookedOnce extends Seen, Pick<Looked, 'failed'> {
  /** Besides what is wrong. */
  seen?: Sight;
}

/**
 * One bad look is no alarm: whatever a look has found is looked at once more a little later, and told as it is then (`seenTwice`).
 * Looks that failed are not taken again: those were tried for as long as patience lasted.
 */
export async function lookAgain(
  input: RunInput,
  { findings, more, failed, seen }: LookedOnce,
): Promise<SeenTwice & Pick<LookedOnce, 'seen'>> {
  const doubtful = new Set(findings.flatMap(({ look = '' }) => (failed.includes(look) ? [] : [look])));
  const steps = input.plan.filter(({ id }) => doubtful.has(id)).slice(0, LOOKED_AT_AGAIN);
  if (steps.length === 0) return { findings: [...findings], more, fleeting: 0, seen };
  await sleep(PAUSE);
  const seconds = await Promise.all(steps.map(async (step) => [step.id, await second(step, input)] as const));
  const again = new Map(seconds.flatMap(([id, look]) => (look === undefined ? [] : [[id, look] as const])));
  const latest = [...again.values()].reduce((all, look) => together(all, look.seen), seen);
  return { ...seenTwice({ findings, more }, again, failed), seen: latest };
}

/** Undefined where it could not be looked again. */
async function second(step: Step, input: RunInput): Promise<(Seen & Pick<LookedOnce, 'seen'>) | undefined> {
  const activities = proxyActivities<WorkerActivities>(stepOptions(step));
  try {
    const { findings = [], more = 0, seen } = await activities[step.action](referenceTo(step, input));
    return { findings, more, seen };
  } catch (error) {
    if (isCancellation(error) || !(error instanceof ActivityFailure)) throw error;
    return undefined;
  }
}

function referenceTo(step: Step, { planHash, format = 1, build, patienceMs }: RunInput): StepReference {
  const { workflowId, runId, firstExecutionRunId: first } = workflowInfo();
  const patience = step.patienceMinutes === undefined ? patienceMs : step.patienceMinutes * 60_000;
  return { root: { workflowId, runId, first }, planHash, step: step.id, format, build, patienceMs: patience };
}
