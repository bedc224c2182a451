import type { StepOutput } from '../../activities/types.js';
import { PHASES, type Step } from '../../plan/types.js';
import type { Situation } from './decisions.js';
import type { StepFailure } from './failure.js';
import type {
  BlockedStep,
  DecisionRecord,
  InstallInput,
  InstallProgress,
  InstallResult,
  InstallState,
  StepProgress,
} from '../types.js';

/** Older records leave the query's answer first; the history keeps them all. */
const RECORDS_KEPT = 100;

/**
 * Where an install stands: every step's state, what is blocked, what was decided. It only keeps books; it starts
 * nothing, so it is the same in a workflow, in a replay, and in a test without Temporal.
 */
export class InstallLedger {
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
    private readonly input: InstallInput,
    private readonly now: () => number = () => Date.now(),
  ) {
    for (const { id, title, phase, host } of input.plan) {
      this.steps.set(id, { id, title, phase, host, state: 'waiting' });
    }
  }

  /** Whether everything the step needs is done or left out. */
  isReady(step: Step): boolean {
    return step.needs.every((id) => {
      const state = this.steps.get(id)?.state;
      return state === 'done' || state === 'skipped';
    });
  }

  /** Whether a person's skip concerns the step: itself, or the worker it belongs to. */
  isLeftOut(step: Step): boolean {
    return this.skippedSteps.has(step.id) || (step.host !== null && this.leftOutHosts.has(step.host));
  }

  isBlocked(step: Step): boolean {
    return this.blocked.has(step.id);
  }

  /** Whether a person is asked about a step that is tried all the same. */
  isAsked(step: Step): boolean {
    return this.blocked.get(step.id)?.retrying === true;
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

  /** The cluster as the remaining steps see it: without the workers that were left out. */
  cluster(): InstallInput['cluster'] {
    if (this.leftOutHosts.size === 0) return this.input.cluster;
    const hosts = this.input.cluster.hosts.filter((host) => !this.leftOutHosts.has(host.name));
    return { ...this.input.cluster, hosts };
  }

  situation(): Situation {
    return { plan: this.input.plan, blocked: this.blockedSteps(), ended: this.endedSteps(), blockings: this.blockings };
  }

  blockedSteps(): BlockedStep[] {
    return [...this.blocked.values()].sort((a, b) => a.blocking - b.blocking);
  }

  state(): InstallState {
    if (this.closed !== undefined) return this.closed;
    if (this.blocked.size > 0) return 'blocked';
    return this.endedSteps() === this.steps.size ? 'done' : 'running';
  }

  /** The earliest phase that still has something to do; the last one when all is done. */
  phase(): string {
    const open = new Set([...this.steps.values()].filter((step) => !hasEnded(step)).map((step) => step.phase));
    return PHASES.find((phase) => open.has(phase)) ?? 'verify';
  }

  progress(): InstallProgress {
    return {
      cluster: this.input.cluster.name,
      state: this.state(),
      steps: [...this.steps.values()],
      blocked: this.blockedSteps(),
      decisions: this.records,
    };
  }

  result(): InstallResult {
    const steps = [...this.steps.values()];
    return {
      cluster: this.input.cluster.name,
      changed: steps.filter((step) => step.outcome === 'changed').length,
      unchanged: steps.filter((step) => step.outcome === 'unchanged').length,
      skipped: steps.filter((step) => step.state === 'skipped').map((step) => step.id),
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

function hasEnded(step: StepProgress): boolean {
  return step.state === 'done' || step.state === 'skipped';
}
