import { CancellationScope } from '@temporalio/workflow';
import type { Step } from '../../plan/types.js';
import { recoverableStep, type StepRun } from './recoverable-step.js';

/** Minutes of a host that does not answer, after which its cleanup is given up: the run is to end. */
const PATIENCE_MINUTES = 2;

/**
 * Cleanup of what has begun, when a run ends before its time: a node that was cordoned is uncordoned, a server that was
 * taken out of a balancer is put back. Nobody is asked any more; what fails is named.
 *
 * @returns ids of the steps that could not be carried out
 */
export async function cleanUp(run: StepRun): Promise<string[]> {
  const due = run.ledger.dueCleanups();
  const left: string[] = [];
  await CancellationScope.nonCancellable(async () => {
    // In the order of the plan, in which each stands behind what it needs.
    for (const step of due) {
      // A try that was under way when the run was ended is tried anew.
      await recoverableStep(asCleanup(step, run), run);
      if (run.ledger.hasFailed(step)) left.push(step.id);
    }
  });
  return left;
}

/** It waits for nothing any more, and is told what those have found that had ended: what is to be put back, for example. */
function asCleanup(step: Step, { ledger }: StepRun): Step {
  const needs = step.needs.filter((id) => ledger.ending(id) !== undefined);
  return { ...step, needs, onFailure: 'report', patienceMinutes: PATIENCE_MINUTES };
}
