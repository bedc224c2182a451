import { createContext } from '../../src/activities/context.js';
import { carryOut } from '../../src/activities/step.js';
import type { StepImplementation } from '../../src/activities/types.js';
import type { Cluster } from '../../src/cluster/types.js';
import { isKubewrightError } from '../../src/errors.js';
import type { Hosts } from '../../src/hosts/index.js';
import type { StepOutput } from '../../src/plan/run.js';
import type { Action, Step } from '../../src/plan/types.js';
import { VERSION } from '../../src/version.js';

export interface StepRun extends StepOutput {
  step: string;
  /** Milliseconds since the plan began. */
  startedAt: number;
  endedAt: number;
}

export interface PlanRun {
  cluster: Cluster;
  plan: Step[];
  hosts: Hosts;
  implementations: Record<Action, StepImplementation>;
  /** Each change of a running step's last line. */
  onProgress?: (step: Step, line: string) => void;
  onDone?: (run: StepRun) => void;
}

/**
 * Carries a plan out without Temporal: every step as soon as what it needs is done, transient errors tried again, the
 * first other error thrown. For tests of the steps themselves.
 *
 * @returns what each step came to, in the order in which they ended
 */
export async function runPlan({ plan, ...run }: PlanRun): Promise<StepRun[]> {
  const begin = performance.now();
  const runs: StepRun[] = [];
  const ended = new Map<string, Promise<void>>();
  for (const step of plan) {
    const needs = step.needs.map((id) => ended.get(id));
    const work = Promise.all(needs).then(async () => {
      const startedAt = performance.now() - begin;
      const output = await runStep(step, run);
      const done = { step: step.id, startedAt, endedAt: performance.now() - begin, ...output };
      runs.push(done);
      run.onDone?.(done);
    });
    work.catch(() => undefined);
    ended.set(step.id, work);
  }
  await Promise.all(ended.values());
  return runs;
}

/** One step until it is done, or fails in a way that waiting does not heal. */
export async function runStep(step: Step, run: Omit<PlanRun, 'plan'>): Promise<StepOutput> {
  for (;;) {
    const { cluster, hosts, onProgress } = run;
    const context = createContext(
      { cluster, step, build: VERSION },
      {
        hosts,
        signal: new AbortController().signal,
        env: process.env,
        onProgress: ({ stage, line }) => onProgress?.(step, `${stage}: ${line}`),
      },
    );
    try {
      return await carryOut(run.implementations[step.action], context);
    } catch (error) {
      if (!isKubewrightError(error) || !error.transient) throw error;
      onProgress?.(step, `again: ${error.message}`);
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  }
}
