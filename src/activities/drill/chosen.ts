import type { DrillVerb } from '../../plan/drill.js';
import { SCENARIOS, type Scenario } from '../../plan/drill-report.js';
import type { StepData } from '../../plan/run.js';
import type { StepContext } from '../types.js';

/** Who is struck in a scenario, and who asks meanwhile. */
export interface Chosen {
  scenario: Scenario;
  /** Name of the host. */
  victim: string;
  /** Name of the host. */
  prober: string;
}

/** The scenario that a step belongs to. */
export function scenarioOf({ step }: Pick<StepContext, 'step'>): Scenario {
  const scenario = SCENARIOS.find((each) => each === step.with?.scenario);
  // The plan gives each of them one, so this is a programming error.
  if (scenario === undefined) throw new Error(`step ${step.id} belongs to no scenario`);
  return scenario;
}

/** What another step of the same scenario has handed on; undefined where it has not ended well. */
export function handedOn(context: Pick<StepContext, 'step' | 'inputs'>, verb: DrillVerb): StepData | undefined {
  return context.inputs[`cluster/${scenarioOf(context)}-${verb}`];
}

/** Who was chosen; undefined where the scenario was left out, or did not get that far. */
export function chosenFor(context: Pick<StepContext, 'step' | 'inputs'>): Chosen | undefined {
  const { victim, prober } = handedOn(context, 'ask') ?? {};
  if (typeof victim !== 'string' || typeof prober !== 'string') return undefined;
  return { scenario: scenarioOf(context), victim, prober };
}

/** Names this scenario of this run, so that nobody takes another drill's book for its own. */
export function bookName(context: Pick<StepContext, 'step' | 'run'>): string {
  return `${context.run?.first ?? context.run?.runId ?? 'no-run'}/${scenarioOf(context)}`;
}
