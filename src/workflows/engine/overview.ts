import { FINDINGS_NAMED, type HealthFinding } from '../../plan/run.js';
import { type Sight, together } from '../../plan/sight.js';
import type { Step } from '../../plan/types.js';
import {
  type BlockedStep,
  hasEnded,
  type RunProgress,
  type RunResult,
  type RunState,
  type StepProgress,
} from '../types.js';
import type { Situation } from './decisions.js';
import type { GroupBooks } from './group-books.js';
import type { Ledger } from './ledger.js';

/** A run as a whole: its own steps and what its groups have said of theirs. */
export class Overview {
  /** In the order in which they first occur in the plan. */
  private readonly phases: string[];

  constructor(
    private readonly cluster: string,
    /** All steps, those of groups too. */
    private readonly plan: readonly Step[],
    private readonly ledger: Ledger,
    private readonly groups: GroupBooks,
  ) {
    this.phases = [...new Set(plan.map(({ phase }) => phase))];
  }

  state(): RunState {
    const closing = this.ledger.closing();
    if (closing !== undefined) return closing;
    if (this.blockedCount() > 0) return 'blocked';
    return this.ledger.isDone() ? 'done' : 'running';
  }

  /** Whether nothing can be decided any more: the run is being aborted or cancelled, or every step has ended. */
  isClosed(): boolean {
    return this.ledger.closing() !== undefined || this.ledger.isDone();
  }

  /** The earliest phase that still has something to do, in the order of the plan; the last one when all is done. */
  phase(): string {
    const own = this.ledger.stepsSoFar().filter((step) => !hasEnded(step));
    const open = new Set([...own.map(({ phase }) => phase as string), ...this.groups.phases()]);
    return this.phases.find((phase) => open.has(phase)) ?? this.phases.at(-1) ?? '';
  }

  /** How many steps wait for a person. */
  blockedCount(): number {
    return this.groups.blocked().reduce((sum, { count }) => sum + count, this.ledger.blockedSteps().length);
  }

  /** Names of blocked steps, not more than there are or fit. */
  blockedNames(): string[] {
    const own = this.ledger.blockedSteps().map(({ step }) => step);
    return [...own, ...this.groups.blocked().flatMap(({ names }) => names)];
  }

  /** Those that are known in full. */
  blockedShown(): BlockedStep[] {
    return [...this.ledger.blockedSteps(), ...this.groups.blocked().flatMap(({ shown }) => shown)];
  }

  /** How many steps have ended, and how many there are. */
  counts(): { ended: number; steps: number } {
    const ended = this.ledger.stepsSoFar().filter(hasEnded).length + this.groups.ended();
    return { ended, steps: this.plan.length };
  }

  situation(): Situation {
    return {
      plan: [...this.plan, ...this.groups.progress(this.ledger)],
      blocked: this.ledger.blockedSteps(),
      ended: this.counts().ended,
      blockings: this.ledger.blockingsSoFar(),
      elsewhere: this.groups.blocked(),
      groups: this.groups.running(),
      groupOf: (step) => this.groups.groupOf(step),
    };
  }

  progress(): RunProgress {
    const groups = this.groups.progress(this.ledger);
    return {
      cluster: this.cluster,
      state: this.state(),
      steps: this.ledger.stepsSoFar(),
      blocked: this.blockedShown(),
      decisions: this.ledger.decisionsSoFar(),
      ...(groups.length === 0 ? {} : { groups }),
    };
  }

  result(): RunResult {
    const steps = this.ledger.stepsSoFar();
    const ids = (state: string): string[] => steps.filter((step) => step.state === state).map(({ id }) => id);
    const others = this.groups.results();
    const count = (outcome: 'changed' | 'unchanged'): number =>
      others.reduce((sum, other) => sum + other[outcome], steps.filter((step) => step.outcome === outcome).length);
    const failed = [...ids('failed'), ...others.flatMap((other) => other.failed ?? [])];
    const found = findingsOf(steps, others);
    const seen = [...steps, ...others].reduce<Sight | undefined>((all, each) => together(all, each.seen), undefined);
    const measured = steps.flatMap((step) => step.measured ?? []);
    const unreachable = [...this.ledger.unreachableHosts(), ...others.flatMap((other) => other.unreachable ?? [])];
    return {
      cluster: this.cluster,
      changed: count('changed'),
      unchanged: count('unchanged'),
      skipped: [...ids('skipped'), ...others.flatMap((other) => other.skipped)],
      ...(failed.length === 0 ? {} : { failed }),
      ...(unreachable.length === 0 ? {} : { unreachable: [...new Set(unreachable)] }),
      ...found,
      ...(seen === undefined ? {} : { seen }),
      ...(measured.length === 0 ? {} : { measured }),
    };
  }
}

/** What steps have reported, and why those have failed that report it instead of asking. */
function findingsOf(steps: StepProgress[], others: RunResult[]): Pick<RunResult, 'findings' | 'more'> {
  const all = steps.flatMap(({ id: look, findings = [], state, failed, host }): HealthFinding[] => {
    if (state !== 'failed' || failed === undefined) return findings.map((finding) => ({ ...finding, look }));
    return [{ code: failed.code, host: failed.host ?? host, evidence: failed.message, hint: failed.hint, look }];
  });
  all.push(...others.flatMap((other) => other.findings ?? []));
  const unnamed = [...steps, ...others].reduce(
    (sum, { more = 0 }) => sum + more,
    Math.max(0, all.length - FINDINGS_NAMED),
  );
  if (all.length === 0) return {};
  return { findings: all.slice(0, FINDINGS_NAMED), ...(unnamed === 0 ? {} : { more: unnamed }) };
}
