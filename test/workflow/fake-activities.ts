import { setTimeout as sleep } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { plannedFrom } from '../../src/activities/check/prepareCheck.js';
import { withPatience } from '../../src/activities/patience.js';
import type { Depth } from '../../src/plan/depth.js';
import { planDrill } from '../../src/plan/drill.js';
import type {
  AppliedMark,
  CheckBackground,
  CheckRequest,
  HealthFinding,
  RunInput,
  SkippedCheck,
  StepOutput,
  StepReference,
  TellOutput,
  TellReference,
} from '../../src/plan/run.js';
import type { DrillRequest, SkippedDrill } from '../../src/plan/scheduled-drill.js';
import { ACTIONS } from '../../src/plan/types.js';
import { prepareRun } from '../../src/prepare-run.js';

/** What a fake step does when it is tried. */
export type Behaviour = (input: StepReference, attempt: number) => Promise<StepOutput> | StepOutput;

export interface Call {
  step: string;
  /** Number of Temporal's attempt within one activity. */
  attempt: number;
  input: StepReference;
}

/**
 * Stands in for hosts: every step succeeds at once unless a test says otherwise. What ran, and when it began and ended
 * against others, is recorded.
 */
export class FakeActivities {
  readonly calls: Call[] = [];
  /** `+cp-1/system` when a step begins, `-cp-1/system` when it ends. */
  readonly trace: string[] = [];
  readonly stopped: string[] = [];
  /** When set, nothing can be stopped, for this reason. */
  stopFailure: string | undefined;
  /** What was found when a health check was planned. */
  checkFindings: HealthFinding[] = [];
  /** The record that a health check was planned from, as the control planes say; nothing unless a test has them say something. */
  applied: AppliedMark | undefined;
  /** What Temporal says of the cluster of a health check; nothing unless a test asks it. */
  background: (cluster: string, depth: Depth) => Promise<CheckBackground> = async () => ({});
  /** How a channel is told of a verdict; nothing happens unless a test says otherwise. */
  telling: (reference: TellReference) => Promise<TellOutput> = async () => ({});
  /** Why a scheduled drill cannot be planned. */
  drillRefusal: ApplicationFailure | undefined;
  /** Each try to tell a channel. */
  readonly tellings: TellReference[] = [];
  private readonly behaviours = new Map<string, Behaviour>();

  on(step: string, behaviour: Behaviour): this {
    this.behaviours.set(step, behaviour);
    return this;
  }

  behaviourOf(step: string): Behaviour {
    return this.behaviours.get(step) ?? (() => changed);
  }

  /** Fails the step's first `times` tries the way a deterministic failure arrives. */
  failing(step: string, times = Number.POSITIVE_INFINITY, failure: () => ApplicationFailure = brokenStep): this {
    let left = times;
    return this.on(step, () => {
      left -= 1;
      if (left >= 0) throw failure();
      return changed;
    });
  }

  /** Runs, heartbeating, until it is released or cancelled. */
  holding(step: string): { release(): void } {
    let release = (): void => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    this.on(step, () => beating(released));
    return { release: () => release() };
  }

  triesOf(step: string): number {
    return this.calls.filter((call) => call.step === step).length;
  }

  /** What a worker registers. */
  registered(): object {
    const run = (input: StepReference): Promise<StepOutput> => this.run(input);
    const stopStep = async (input: StepReference): Promise<number> => {
      if (this.stopFailure !== undefined) throw ApplicationFailure.nonRetryable(this.stopFailure);
      return this.stopped.push(input.step);
    };
    // As the real one where the control planes say nothing else than what was known.
    const prepareCheck = async (request: CheckRequest): Promise<RunInput | SkippedCheck> => {
      const { known, searchAttributes, asked, depth = 'deep' } = request;
      const { deep, ...told } = await this.background(known.name, depth);
      const { input, background } = plannedFrom(known, deep, depth);
      const check = { ...told, ...background, ...(this.applied && { applied: this.applied }) };
      if (check.during !== undefined && asked !== true) return { skipped: check.during };
      const findings = this.checkFindings;
      return { ...input, searchAttributes, patienceMs: 1_000, findings, check };
    };
    const tellChannel = (reference: TellReference): Promise<TellOutput> => {
      this.tellings.push(reference);
      return this.telling(reference);
    };
    // Likewise: what was applied is what was known.
    const prepareDrill = async ({
      known,
      searchAttributes,
      options,
    }: DrillRequest): Promise<RunInput | SkippedDrill> => {
      const { during } = await this.background(known.name, 'deep');
      if (during !== undefined) return { skipped: during };
      if (this.drillRefusal !== undefined) throw this.drillRefusal;
      const run = prepareRun('drill', known, planDrill(known, options));
      return { ...run, searchAttributes, patienceMs: 1_000 };
    };
    const steps = Object.fromEntries(ACTIONS.map((action) => [action, run]));
    return { ...steps, stopStep, prepareCheck, prepareDrill, tellChannel };
  }

  private async run(input: StepReference): Promise<StepOutput> {
    const { attempt } = Context.current().info;
    const step = input.step;
    this.calls.push({ step, attempt, input });
    this.trace.push(`+${step}`);
    const began = Date.now();
    try {
      return (await this.behaviours.get(step)?.(input, attempt)) ?? changed;
    } catch (error) {
      throw error instanceof ApplicationFailure ? withPatience(error, input, began) : error;
    } finally {
      this.trace.push(`-${step}`);
    }
  }
}

export const changed: StepOutput = { outcome: 'changed', summary: 'did it' };

/** A failure as `src/activities/failure.ts` makes it: the code as type, the facts as first detail, not retryable. */
export function brokenStep(): ApplicationFailure {
  return ApplicationFailure.create({
    type: 'KW421',
    message: 'kubeadm join failed with exit code 1 after 3 s',
    nonRetryable: true,
    details: [{ host: 'cp-2', step: 'cp-2/join', hint: 'Open port 6443.', output: 'dial tcp: connection refused' }],
  });
}

/** As a broken connection arrives: Temporal's own attempts carry it. */
export function transientTrouble(): ApplicationFailure {
  return ApplicationFailure.create({ type: 'KW201', message: 'no connection', nonRetryable: false, details: [{}] });
}

/** Heartbeats until `until`, and ends at once when it is cancelled. */
export async function beating(until: Promise<void>): Promise<StepOutput> {
  const { cancellationSignal } = Context.current();
  const ended = until.then(() => 'released' as const);
  for (;;) {
    Context.current().heartbeat({ stage: 'apply', line: 'still at it' });
    const first = await Promise.race([
      ended,
      Context.current().cancelled,
      sleep(200, 'beat', { signal: cancellationSignal }),
    ]);
    if (first === 'released') return changed;
  }
}
