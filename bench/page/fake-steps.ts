import { setTimeout as sleep } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import type { StepOutput, StepReference } from '../../src/plan/run.js';
import { ACTIONS, type Step } from '../../src/plan/types.js';

/** A step takes between so many milliseconds, so that it ends at any moment between two looks of the page. */
const STEP_MS = [600, 1_600] as const;

/** Steps that touch no host: each only takes its time. */
export function fakeSteps(): object {
  const run = async (_: StepReference): Promise<StepOutput> => {
    const [least, most] = STEP_MS;
    const activity = Context.current();
    activity.heartbeat({ stage: 'apply', line: 'taking its time' });
    await sleep(least + Math.random() * (most - least), undefined, { signal: activity.cancellationSignal });
    return { outcome: 'changed', summary: 'took its time' };
  };
  return { ...Object.fromEntries(ACTIONS.map((action) => [action, run])), stopStep: async () => 0 };
}

/** Steps in one phase, one behind the other. */
export function stepsInTurn(count: number): Step[] {
  return Array.from({ length: count }, (_, index) => ({
    id: `cluster/step-${index + 1}`,
    host: null,
    phase: 'prepare',
    action: 'prepareSystem',
    title: `Take some time: ${index + 1}`,
    needs: index === 0 ? [] : [`cluster/step-${index}`],
    timeoutMinutes: 5,
    skippable: false,
  }));
}
