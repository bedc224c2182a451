import { ApplicationFailure } from '@temporalio/common';
import type { Step } from '../../plan/types.js';

/**
 * Refuses a plan that could never end: a step that occurs twice, needs what is not there, or needs itself in a circle.
 * The client's plans are right; this guards what scripts make, for such a run would wait for ever without a word.
 *
 * @throws ApplicationFailure KW432 naming the steps
 */
export function checkPlan(plan: Step[]): void {
  const open = new Map(plan.map((step) => [step.id, step.needs]));
  if (open.size !== plan.length) throw broken('two steps have the same id');
  for (const step of plan) {
    const missing = step.needs.filter((id) => !open.has(id));
    if (missing.length > 0) throw broken(`${step.id} needs ${missing.join(', ')}, which the plan does not have`);
  }
  for (;;) {
    const ready = [...open].filter(([, needs]) => needs.every((id) => !open.has(id)));
    if (ready.length === 0) break;
    for (const [id] of ready) open.delete(id);
  }
  if (open.size > 0) throw broken(`these steps need one another in a circle: ${[...open.keys()].join(', ')}`);
}

function broken(what: string): ApplicationFailure {
  return ApplicationFailure.create({
    message: `The plan cannot be carried out: ${what}`,
    type: 'KW432',
    nonRetryable: true,
  });
}
