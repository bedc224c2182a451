import { ActivityFailure } from '@temporalio/common';
import { isCancellation, proxyActivities, sleep, workflowInfo } from '@temporalio/workflow';
import type { WorkerActivities } from '../activities/types.js';
import type { Looked } from '../plan/findings.js';
import type { HealthFinding, RunInput, StepReference } from '../plan/run.js';
import { keyOf } from '../plan/since.js';
import type { Step } from '../plan/types.js';
import { stepOptions } from './engine/recoverable-step.js';

/** Long enough for an election or for a pod that starts anew, short beside the time between two checks. */
const PAUSE = '5 seconds';

/** What more looks than these have found is not one bad look. */
const LOOKED_AT_AGAIN = 50;

/** What two looks came to. */
export interface LookedTwice {
  findings: HealthFinding[];
  /** How many more there were than are named. */
  more: number;
  /** How many findings of the first look the second one did not see. */
  fleeting: number;
}

/**
 * One bad look is no alarm: whatever a look has found is looked at once more a little later, and told as it is then. What is
 * gone by then was seen once only, and so was trouble on another host, which the next check tells if it stays. Looks that failed
 * are not taken again: those were tried for as long as patience lasted. Where the second look fails, the first one stands.
 */
export async function lookAgain(
  input: RunInput,
  { findings, more, failed }: Pick<Looked, 'more' | 'failed'> & { findings: readonly HealthFinding[] },
): Promise<LookedTwice> {
  const doubtful = new Set(findings.flatMap(({ look = '' }) => (failed.includes(look) ? [] : [look])));
  const steps = input.plan.filter(({ id }) => doubtful.has(id)).slice(0, LOOKED_AT_AGAIN);
  if (steps.length === 0) return { findings: [...findings], more, fleeting: 0 };
  await sleep(PAUSE);
  const seconds = await Promise.all(steps.map(async (step) => [step.id, await second(step, input)] as const));
  const again = new Map(seconds.flatMap(([id, seen]) => (seen === undefined ? [] : [[id, seen] as const])));
  const untouched = findings.filter(({ look = '' }) => !again.has(look));
  const told = [...untouched];
  let fleeting = 0;
  for (const [id, seen] of again) {
    const first = findings.filter(({ look }) => look === id);
    const hosts = new Set(first.map(({ host }) => host));
    const keys = new Set(seen.findings.map(keyOf));
    told.push(...seen.findings.filter(({ host }) => hosts.has(host)).map((finding) => ({ ...finding, look: id })));
    fleeting += first.filter((finding) => !keys.has(keyOf(finding))).length;
  }
  // Whose findings were too many is known of the second looks alone: where they are all that counts, theirs do.
  const isAll = untouched.every(({ look }) => look === undefined);
  const unnamed = isAll ? [...again.values()].reduce((sum, seen) => sum + seen.more, 0) : more;
  return { findings: told, more: unnamed, fleeting };
}

/** Undefined where it could not be looked again. */
async function second(step: Step, input: RunInput): Promise<{ findings: HealthFinding[]; more: number } | undefined> {
  const activities = proxyActivities<WorkerActivities>(stepOptions(step));
  try {
    const { findings = [], more = 0 } = await activities[step.action](referenceTo(step, input));
    return { findings, more };
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
