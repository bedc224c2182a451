import type { RunInput, StepData, StepOutput } from '../../plan/run.js';
import type { Step } from '../../plan/types.js';
import {
  type BlockedStep,
  type DecisionRecord,
  hasEnded,
  type RunProgress,
  type RunResult,
  type RunState,
  type StepProgress,
} from '../types.js';
import type { Situation } from './decisions.js';
import type { StepFailure } from './failure.js';

/** Older records leave the query's answer first; the history keeps them all. */
const RECORDS_KEPT = 100;

/**
 * Where a run stands: every step's state, what is blocked, what was decided. It only keeps books; it starts
 * nothing, so it is the same in a workflow, in a replay, and in a test without Temporal.
 */
export class Ledger {
  private readonly steps = new Map<string, StepProgress>();
  private readonly blocked = new Map<string, BlockedStep>();
  private readonly leftOutHosts = new Set<string>();
  private readonly skippedSteps = new Set<string>();
  private readonly records: DecisionRecord[] = [];
  private blockings = 0;
  private decisions = 0;
  private closed: 'aborted' | 'cancelled' | undefined;

  /** @param now the time of what is recorded, milliseconds since the epoch; one who reads a history gives its times */
  constructor(
    private readonly input: RunInput,
    private readonly now: () => number = () => Date.now(),
  ) {
    for (const { id, title, phase, host } of input.plan) {
      this.steps.set(id, { id, title, phase, host, state: 'waiting' });
    }
  }

  /** Whether everything the step needs is done or left out. */
  isReady(step: Step): boolean {
    return step.needs.every((id) => {
      const entry = this.steps.get(id);
      return entry !== undefined && hasEnded(entry);
    });
  }

  /**
   * Whether a person's skip concerns the step: itself, or the worker it belongs to. Cleanup of what has begun on a worker
   * is not left out with it.
   */
  isLeftOut(step: Step): boolean {
    if (this.skippedSteps.has(step.id)) return true;
    return step.host !== null && this.leftOutHosts.has(step.host) && !this.isDueCleanup(step);
  }

  /** Cleanup of something that has begun. */
  private isDueCleanup(step: Step): boolean {
    return step.always === true && step.needs.some((id) => this.steps.get(id)?.startedAt !== undefined);
  }

  /** Cleanup that is still to be done when the run ends before its time, in the order of the plan. */
  dueCleanups(): Step[] {
    return this.input.plan.filter((step) => this.isDueCleanup(step) && !hasEnded(this.entry(step)));
  }

  isBlocked(step: Step): boolean {
    return this.blocked.has(step.id);
  }

  /** Whether a person is asked about a step that is tried all the same. */
  isAsked(step: Step): boolean {
    return this.blocked.get(step.id)?.retrying === true;
  }

  /** Whether it could not be done and the run went on without. */
  hasFailed(step: Step): boolean {
    return this.steps.get(step.id)?.state === 'failed';
  }

  started(step: Step): void {
    const entry = this.entry(step);
    if (!this.isAsked(step)) entry.state = 'running';
    entry.startedAt ??= this.now();
  }

  finished(step: Step, output: StepOutput): void {
    this.blocked.delete(step.id);
    const entry = this.entry(step);
    delete entry.failed;
    Object.assign(entry, { state: 'done', endedAt: this.now(), ...output });
  }

  skipped(step: Step): void {
    this.blocked.delete(step.id);
    const entry = this.entry(step);
    delete entry.failed;
    Object.assign(entry, { state: 'skipped', endedAt: this.now() });
  }

  /** A try that counts has failed and another follows by itself. */
  failed(step: Step, failure: StepFailure, tries: number): void {
    this.blocked.delete(step.id);
    const { code, message, hint, host, output } = failure;
    const failed = { code, message, hint, host, output, tries, at: this.now() };
    Object.assign(this.entry(step), { state: 'running', failed });
  }

  /** It has failed for good, and the run goes on: what failed is part of the result. */
  reported(step: Step, failure: StepFailure): void {
    const { code, message, hint, host, output } = failure;
    const failed = { code, message, hint, host, output, tries: 1, at: this.now() };
    Object.assign(this.entry(step), { state: 'failed', endedAt: this.now(), failed });
  }

  parked(step: Step, failure: StepFailure, tries: number): void {
    this.block(step, failure, { tries });
  }

  /** Patience with trouble that may heal by itself is used up: a person is asked while the step is tried on. */
  asked(step: Step, failure: StepFailure): void {
    this.block(step, failure, { tries: 0, retrying: true });
  }

  private block(step: Step, failure: StepFailure, how: Pick<BlockedStep, 'tries' | 'retrying'>): void {
    this.blockings += 1;
    const entry = this.entry(step);
    delete entry.failed;
    entry.state = 'blocked';
    const { code, message, hint, host, output } = failure;
    const { skippable } = step;
    const facts = { code, message, hint, host, output, skippable };
    this.blocked.set(step.id, { step: step.id, blocking: this.blockings, since: this.now(), ...facts, ...how });
  }

  /** Ends the blocking of steps that a person wants tried again. */
  retried(ids: string[]): void {
    for (const id of ids) {
      this.blocked.delete(id);
      const entry = this.steps.get(id);
      if (entry !== undefined) entry.state = 'running';
    }
  }

  /**
   * Skipping a step of a worker leaves that worker out: a node without its runtime or images could never be verified.
   */
  left(ids: string[]): void {
    for (const id of ids) {
      this.skippedSteps.add(id);
      const host = this.input.cluster.hosts.find((candidate) => candidate.name === this.steps.get(id)?.host);
      if (host?.role === 'worker') this.leftOutHosts.add(host.name);
    }
  }

  /** Ids of the steps that a skip concerns, also those that have ended. */
  leftOutSteps(): string[] {
    return this.input.plan.filter((step) => this.isLeftOut(step)).map((step) => step.id);
  }

  recorded(record: DecisionRecord): void {
    this.decisions += 1;
    this.records.push({ number: this.decisions, ...record });
    if (this.records.length > RECORDS_KEPT) this.records.shift();
  }

  close(state: 'aborted' | 'cancelled'): void {
    this.closed = state;
  }

  /** Whether nothing can be decided any more: the run is being aborted or cancelled, or every step has ended. */
  isClosed(): boolean {
    return this.closed !== undefined || this.endedSteps() === this.steps.size;
  }

  /** Steps that may have something running on a host: also one that a person is asked about while it is tried. */
  runningSteps(): Step[] {
    return this.input.plan.filter((step) => this.steps.get(step.id)?.state === 'running' || this.isAsked(step));
  }

  /** Names of the workers that were left out: the remaining steps see the cluster without them. */
  hostsLeftOut(): string[] {
    return [...this.leftOutHosts];
  }

  /** What the steps that this one needs have handed on; undefined when that is nothing. */
  dataFor(step: Step): Record<string, StepData> | undefined {
    const found = step.needs.flatMap((id) => {
      const data = this.steps.get(id)?.data;
      return data === undefined ? [] : [[id, data] as const];
    });
    return found.length === 0 ? undefined : Object.fromEntries(found);
  }

  situation(): Situation {
    return { plan: this.input.plan, blocked: this.blockedSteps(), ended: this.endedSteps(), blockings: this.blockings };
  }

  blockedSteps(): BlockedStep[] {
    return [...this.blocked.values()].sort((a, b) => a.blocking - b.blocking);
  }

  state(): RunState {
    if (this.closed !== undefined) return this.closed;
    if (this.blocked.size > 0) return 'blocked';
    return this.endedSteps() === this.steps.size ? 'done' : 'running';
  }

  /** The earliest phase that still has something to do, in the order of the plan; the last one when all is done. */
  phase(): string {
    const steps = [...this.steps.values()];
    const phases = [...new Set(steps.map((step) => step.phase))];
    const open = new Set(steps.filter((step) => !hasEnded(step)).map((step) => step.phase));
    return phases.find((phase) => open.has(phase)) ?? phases.at(-1) ?? '';
  }

  progress(): RunProgress {
    return {
      cluster: this.input.cluster.name,
      state: this.state(),
      steps: [...this.steps.values()],
      blocked: this.blockedSteps(),
      decisions: this.records,
    };
  }

  result(): RunResult {
    const steps = [...this.steps.values()];
    const failed = steps.filter((step) => step.state === 'failed').map((step) => step.id);
    return {
      cluster: this.input.cluster.name,
      changed: steps.filter((step) => step.outcome === 'changed').length,
      unchanged: steps.filter((step) => step.outcome === 'unchanged').length,
      skipped: steps.filter((step) => step.state === 'skipped').map((step) => step.id),
      ...(failed.length === 0 ? {} : { failed }),
    };
  }

  private endedSteps(): number {
    return [...this.steps.values()].filter(hasEnded).length;
  }

  private entry(step: Step): StepProgress {
    const entry = this.steps.get(step.id);
    if (entry === undefined) throw new Error(`step ${step.id} is not in the plan`);
    return entry;
  }
}
