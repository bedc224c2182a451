import { waitOf } from '../../plan/cut.js';
import type { BlockedStep, GroupProgress, GroupReport, RunResult } from '../types.js';
import type { Ledger } from './ledger.js';
import type { GroupStep } from './units.js';

interface Entry {
  unit: GroupStep;
  /** First run of the child that carries it out now, or last did. */
  runId?: string;
  report?: GroupReport;
  result?: RunResult;
  /** Whether that child has ended, well or not. */
  over: boolean;
  /** What it could not stop or put back, when the run was aborted. */
  left: string[];
  unclean: string[];
}

/** Ids and names that one answer names at most. */
const NAMES_SHOWN = 20;

/**
 * What a root knows of its groups: what they have said. It only keeps books, as `Ledger` does for the root's own steps.
 */
export class GroupBooks {
  private readonly entries = new Map<string, Entry>();
  private readonly groupOfStep = new Map<string, string>();

  /** @param workflowId of the root */
  constructor(
    units: readonly GroupStep[],
    private readonly workflowId: string,
  ) {
    for (const unit of units) {
      this.entries.set(unit.id, { unit, over: true, left: [], unclean: [] });
      for (const step of unit.members.steps) this.groupOfStep.set(step.id, unit.id);
    }
  }

  /** The group that carries a step out; undefined for the root's own. */
  groupOf(step: string): string | undefined {
    return this.groupOfStep.get(step);
  }

  /** The id of a group's workflow. */
  workflowIdOf(group: string): string {
    return `${this.workflowId}/${group}`;
  }

  started(group: string, runId: string): void {
    Object.assign(this.entry(group), { runId, report: undefined, result: undefined, over: false });
  }

  /** @returns false for the report of a child that is not the present one */
  reported(report: GroupReport, ledger: Ledger): boolean {
    const entry = this.entries.get(report.group);
    if (entry === undefined || entry.runId !== report.runId || entry.over) return false;
    entry.report = report;
    for (const step of report.fulfilled) ledger.endedElsewhere(waitOf(step, report.group));
    ledger.leftElsewhere(report.leftOut);
    return true;
  }

  finished(group: string, result: RunResult, ledger: Ledger): void {
    const entry = this.entry(group);
    Object.assign(entry, { result, over: true });
    for (const step of Object.keys(entry.unit.members.awaited)) ledger.endedElsewhere(waitOf(step, group));
  }

  /** It has not ended well; when it was aborted with the run, there may be what it could not bring to order. */
  failed(group: string, { left = [], unclean = [] }: { left?: string[]; unclean?: string[] } = {}): void {
    Object.assign(this.entry(group), { over: true, report: undefined, left, unclean });
  }

  /** Of all groups, after an abort. */
  disorder(): { left: string[]; unclean: string[] } {
    const all = [...this.entries.values()];
    return { left: all.flatMap(({ left }) => left), unclean: all.flatMap(({ unclean }) => unclean) };
  }

  /** Groups whose child runs. */
  running(): string[] {
    return [...this.entries.values()].filter(({ over }) => !over).map(({ unit }) => unit.id);
  }

  /** Whether its child runs. */
  isRunning(group: string): boolean {
    return this.entries.get(group)?.over === false;
  }

  /** How many steps of groups have ended. */
  ended(): number {
    return this.sum(({ unit, report, result }) => (result ? unit.members.steps.length : (report?.ended ?? 0)));
  }

  steps(): number {
    return this.sum(({ unit }) => unit.members.steps.length);
  }

  /** Groups with steps that wait for a person. */
  blocked(): { group: string; count: number; names: string[]; shown: BlockedStep[] }[] {
    return [...this.entries.values()].flatMap(({ unit, report, result }) =>
      report === undefined || result !== undefined || report.blocked === 0
        ? []
        : [{ group: unit.id, count: report.blocked, names: report.names, shown: report.shown }],
    );
  }

  /** The earliest open phase of each group that has something to do. */
  phases(): string[] {
    return [...this.entries.values()].flatMap(({ unit, report, result }) =>
      result === undefined ? [report?.phase ?? unit.phase] : [],
    );
  }

  progress(ledger: Ledger): GroupProgress[] {
    return [...this.entries.values()].map(({ unit, runId, report, result }) => {
      const steps = unit.members.steps.length;
      return {
        id: unit.id,
        title: unit.title,
        workflowId: this.workflowIdOf(unit.id),
        ...(runId === undefined ? {} : { runId }),
        state: ledger.stateOf(unit),
        steps,
        ended: result ? steps : (report?.ended ?? 0),
        blocked: result ? 0 : (report?.blocked ?? 0),
      };
    });
  }

  results(): RunResult[] {
    return [...this.entries.values()].flatMap(({ result }) => result ?? []);
  }

  private sum(of: (entry: Entry) => number): number {
    return [...this.entries.values()].reduce((total, entry) => total + of(entry), 0);
  }

  private entry(group: string): Entry {
    const entry = this.entries.get(group);
    if (entry === undefined) throw new Error(`group ${group} is not in the plan`);
    return entry;
  }
}

/** Names for a sentence: as many as one reads, and how many more there are. */
export function listed(names: readonly string[]): string {
  const shown = names.slice(0, NAMES_SHOWN).join(', ');
  return names.length > NAMES_SHOWN ? `${shown} and ${names.length - NAMES_SHOWN} more` : shown;
}
