import type { RunInput, StepData, StepOutput } from '../../plan/run.js';
import type { Step } from '../../plan/types.js';
import { type BlockedStep, type DecisionRecord, hasEnded, type StepProgress } from '../types.js';
import type { StepFailure } from './failure.js';
import { isGroup, type Unit } from './units.js';

/** Older records leave the query's answer first; the history keeps them all. */
const RECORDS_KEPT = 100;
/** Of the steps that a decision was about: a fault of all hosts is answered with one decision on all of them. */
const RECORDED_STEPS = 20;

/** What a ledger keeps books of. */
export interface Books {
  /** What is carried out here, in an order in which each stands behind what it needs. */
  units: readonly Unit[];
  /** Names of the hosts that can be left out. */
  workers: ReadonlySet<string>;
}

/** Names of the hosts that a run can do without. */
export function workersOf({ cluster }: Pick<RunInput, 'cluster'>): Set<string> {
  return new Set(cluster.hosts.filter(({ role }) => role === 'worker').map(({ name }) => name));
}

/**
 * Where one workflow's steps stand: the state of each, what is blocked, what was decided. It only keeps books; it starts
 * nothing, so it is the same in a workflow, in a replay, and in a test without Temporal. What groups say of theirs is
 * added by `Overview`.
 */
export class Ledger {
  private readonly steps = new Map<string, StepProgress>();
  /** Needs that another workflow fulfils, once it has; with what came of them. */
  private readonly elsewhere = new Map<string, StepData | undefined>();
  private readonly blocked = new Map<string, BlockedStep>();
  private readonly leftOutHosts = new Set<string>();
  private readonly skippedSteps = new Set<string>();
  private readonly unreachable = new Set<string>();
  private readonly records: DecisionRecord[] = [];
  private blockings = 0;
  private decisions = 0;
  private closed: 'aborted' | 'cancelled' | undefined;

  /** @param now the time of what is recorded, milliseconds since the epoch; one who reads a history gives its times */
  constructor(
    private readonly books: Books,
    private readonly now: () => number = () => Date.now(),
  ) {
    for (const { id, title, phase, host } of books.units) {
      this.steps.set(id, { id, title, phase, host, state: 'waiting' });
    }
  }

  /** Whether everything the step needs is done or left out. */
  isReady(step: Unit): boolean {
    return step.needs.every((id) => {
      const entry = this.steps.get(id);
      return entry === undefined ? this.elsewhere.has(id) : hasEnded(entry);
    });
  }

  /**
   * Whether the step lets another one of this workflow go first. Not while anything here is blocked: a person is asked then,
   * and whatever does not need the answer goes on meanwhile. Nor for one whose try has failed, which may do so for a while.
   */
  givesWay({ yieldsTo }: Unit): boolean {
    if (yieldsTo === undefined || this.blocked.size > 0) return false;
    return yieldsTo.some((id) => {
      const first = this.steps.get(id);
      return first !== undefined && !hasEnded(first) && first.failed === undefined;
    });
  }

  /** What has come of something that another workflow may need; undefined while it has not ended. */
  ending(id: string): { id: string; data?: StepData } | undefined {
    const entry = this.steps.get(id);
    if (entry === undefined ? !this.elsewhere.has(id) : !hasEnded(entry)) return undefined;
    const data = entry?.data ?? this.elsewhere.get(id);
    return data === undefined ? { id } : { id, data };
  }

  /** Something that steps here need has ended in another workflow. */
  endedElsewhere(id: string, data?: StepData): void {
    if (data !== undefined || !this.elsewhere.has(id)) this.elsewhere.set(id, data);
  }

  /**
   * Whether a person's skip concerns the step: itself, or the worker it belongs to. Cleanup of what has begun on a worker
   * is not left out with it.
   */
  isLeftOut(step: Unit): boolean {
    if (this.skippedSteps.has(step.id)) return true;
    return step.host !== null && this.leftOutHosts.has(step.host) && !this.isDueCleanup(step);
  }

  /** Cleanup of something that has begun. */
  private isDueCleanup(step: Unit): boolean {
    return step.always === true && step.needs.some((id) => this.steps.get(id)?.startedAt !== undefined);
  }

  /** Cleanup that is still to be done when the run ends before its time, in the order of the plan. */
  dueCleanups(): Step[] {
    return this.ownSteps().filter((step) => this.isDueCleanup(step) && !hasEnded(this.entry(step)));
  }

  isBlocked(step: Unit): boolean {
    return this.blocked.has(step.id);
  }

  /** Whether a person is asked about a step that is tried all the same. */
  isAsked(step: Unit): boolean {
    return this.blocked.get(step.id)?.retrying === true;
  }

  /** Whether it could not be done and the run went on without. */
  hasFailed(step: Unit): boolean {
    return this.steps.get(step.id)?.state === 'failed';
  }

  started(step: Unit): void {
    const entry = this.entry(step);
    if (!this.isAsked(step)) entry.state = 'running';
    entry.startedAt ??= this.now();
  }

  finished(step: Unit, output: StepOutput): void {
    this.blocked.delete(step.id);
    const entry = this.entry(step);
    delete entry.failed;
    Object.assign(entry, { state: 'done', endedAt: this.now(), ...output });
  }

  skipped(step: Unit): void {
    this.blocked.delete(step.id);
    const entry = this.entry(step);
    delete entry.failed;
    Object.assign(entry, { state: 'skipped', endedAt: this.now() });
  }

  /** A try that counts has failed and another follows by itself. */
  failed(step: Unit, failure: StepFailure, tries: number): void {
    this.blocked.delete(step.id);
    const { code, message, hint, host, output } = failure;
    const failed = { code, message, hint, host, output, tries, at: this.now() };
    Object.assign(this.entry(step), { state: 'running', failed });
  }

  /** It has failed for good, and the run goes on: what failed is part of the result. */
  reported(step: Unit, failure: StepFailure): void {
    const { code, message, hint, host, output } = failure;
    const failed = { code, message, hint, host, output, tries: 1, at: this.now() };
    Object.assign(this.entry(step), { state: 'failed', endedAt: this.now(), failed });
  }

  parked(step: Unit, failure: StepFailure, tries: number): void {
    this.block(step, failure, { tries });
  }

  /** Patience with trouble that may heal by itself is used up: a person is asked while the step is tried on. */
  asked(step: Unit, failure: StepFailure): void {
    this.block(step, failure, { tries: 0, retrying: true });
  }

  private block(step: Unit, failure: StepFailure, how: Pick<BlockedStep, 'tries' | 'retrying'>): void {
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
      const host = this.steps.get(id)?.host ?? null;
      if (host !== null && this.books.workers.has(host)) this.leftOutHosts.add(host);
    }
  }

  /** Leaves out the worker that never answered a step, because the run was told to. */
  leftUnreachable(step: Unit): void {
    this.left([step.id]);
    if (step.host !== null) this.unreachable.add(step.host);
  }

  /** Names of the workers that were left out because they never answered. */
  unreachableHosts(): string[] {
    return [...this.unreachable];
  }

  /** Whether the worker that a step belongs to can be left out. */
  canDoWithout(step: Unit): boolean {
    return step.skippable && step.host !== null && this.books.workers.has(step.host);
  }

  /** Leaves out workers whose steps another workflow has left out. */
  leftElsewhere(hosts: readonly string[]): void {
    for (const host of hosts) this.leftOutHosts.add(host);
  }

  /** Ids of the steps that a skip concerns, also those that have ended. */
  leftOutSteps(): string[] {
    return this.books.units.filter((step) => this.isLeftOut(step)).map((step) => step.id);
  }

  recorded(record: DecisionRecord): void {
    this.decisions += 1;
    const more = record.steps.length - RECORDED_STEPS;
    const shortened = more > 0 ? { steps: record.steps.slice(0, RECORDED_STEPS), more } : {};
    this.records.push({ number: this.decisions, ...record, ...shortened });
    if (this.records.length > RECORDS_KEPT) this.records.shift();
  }

  close(state: 'aborted' | 'cancelled'): void {
    this.closed = state;
  }

  /** Set once the run is being aborted or cancelled. */
  closing(): 'aborted' | 'cancelled' | undefined {
    return this.closed;
  }

  /** Whether nothing is to be done here any more. */
  isDone(): boolean {
    return [...this.steps.values()].every(hasEnded);
  }

  /** Steps that may have something running on a host: also one that a person is asked about while it is tried. */
  runningSteps(): Step[] {
    return this.ownSteps().filter((step) => this.steps.get(step.id)?.state === 'running' || this.isAsked(step));
  }

  /** Names of the workers that were left out: the remaining steps see the cluster without them. */
  hostsLeftOut(): string[] {
    return [...this.leftOutHosts];
  }

  /** What the steps that this one needs have handed on; undefined when that is nothing. */
  dataFor(step: Unit): Record<string, StepData> | undefined {
    const found = step.needs.flatMap((id) => {
      const data = this.steps.get(id)?.data ?? this.elsewhere.get(id);
      return data === undefined ? [] : [[id, data] as const];
    });
    return found.length === 0 ? undefined : Object.fromEntries(found);
  }

  /** What is blocked, oldest first. */
  blockedSteps(): BlockedStep[] {
    return [...this.blocked.values()].sort((a, b) => a.blocking - b.blocking);
  }

  /** How many blockings there have been. */
  blockingsSoFar(): number {
    return this.blockings;
  }

  /** The latest decisions. */
  decisionsSoFar(): DecisionRecord[] {
    return this.records;
  }

  /** The steps, without the groups, in the order of the plan. */
  stepsSoFar(): StepProgress[] {
    return this.ownSteps().map((step) => this.entry(step));
  }

  private ownSteps(): Step[] {
    return this.books.units.filter((unit): unit is Step => !isGroup(unit));
  }

  /** Of a step or a group. */
  stateOf(unit: Unit): StepProgress['state'] {
    return this.entry(unit).state;
  }

  private entry(step: Unit): StepProgress {
    const entry = this.steps.get(step.id);
    if (entry === undefined) throw new Error(`step ${step.id} is not in the plan`);
    return entry;
  }
}
