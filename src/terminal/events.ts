import type { Phase } from '../plan/types.js';
import type { BlockedStep, DecisionRecord, InstallProgress, InstallState, StepState } from '../workflows/types.js';
import type { InstallView } from './types.js';

/**
 * What happened between two moments of an install: the lines of a log and, one JSON object a line, the output of `--json`.
 * Fields are only ever added.
 */
export type ProgressEvent =
  | { type: 'plan'; cluster: string; steps: { id: string; phase: Phase; host: string | null; title: string }[] }
  | StepEvent
  | RetryEvent
  | ({ type: 'blocked' } & BlockedStep)
  | ({ type: 'decision' } & DecisionRecord)
  | { type: 'state'; state: InstallState };

/** A step that began, ended or was skipped. */
export interface StepEvent {
  type: 'step';
  step: string;
  host: string | null;
  phase: Phase;
  title: string;
  state: StepState;
  outcome?: 'changed' | 'unchanged';
  summary?: string;
  /** When it came into this state, milliseconds since the epoch. */
  at?: number;
  /** Only for a step that has ended. */
  durationMs?: number;
}

/** A try that met what may heal by itself, and will be made again without anybody's help. */
export interface RetryEvent {
  type: 'retry';
  step: string;
  host: string | null;
  /** Number of the try that comes. */
  attempt: number;
  failure: string;
}

/** Compares two moments; without an earlier one everything that has happened so far is told, the plan first. */
export function changesBetween(before: InstallView | undefined, after: InstallView): ProgressEvent[] {
  return [
    ...(before === undefined ? [planEvent(after)] : []),
    ...newDecisions(before?.progress, after.progress),
    ...stepEvents(before, after),
    ...retryEvents(before, after),
    ...newlyBlocked(before?.progress, after.progress),
    ...(before?.progress.state === after.progress.state
      ? []
      : [{ type: 'state' as const, state: after.progress.state }]),
  ];
}

function planEvent({ progress }: InstallView): ProgressEvent {
  const steps = progress.steps.map(({ id, phase, host, title }) => ({ id, phase, host, title }));
  return { type: 'plan', cluster: progress.cluster, steps };
}

/** In the order in which things happened, which is not the order of the plan. */
function stepEvents(before: InstallView | undefined, after: InstallView): StepEvent[] {
  const earlier = new Map(before?.progress.steps.map((step) => [step.id, step.state]));
  const changed = after.progress.steps.filter(
    (step) => step.state !== 'blocked' && step.state !== (earlier.get(step.id) ?? 'waiting'),
  );
  changed.sort((a, b) => (a.endedAt ?? a.startedAt ?? 0) - (b.endedAt ?? b.startedAt ?? 0));
  return changed.map((step): StepEvent => {
    const { id, host, phase, title, state } = step;
    const event: StepEvent = { type: 'step', step: id, host, phase, title, state };
    if (step.outcome !== undefined) event.outcome = step.outcome;
    if (step.summary !== undefined) event.summary = step.summary;
    const since = step.endedAt ?? step.startedAt;
    if (since !== undefined) event.at = since;
    if (step.endedAt !== undefined && step.startedAt !== undefined) event.durationMs = step.endedAt - step.startedAt;
    return event;
  });
}

function retryEvents(before: InstallView | undefined, after: InstallView): RetryEvent[] {
  const hosts = new Map(after.progress.steps.map((step) => [step.id, step.host]));
  return Object.entries(after.activities).flatMap(([step, activity]): RetryEvent[] => {
    const known = before?.activities[step];
    if (activity.failure === undefined || activity.nextAttemptAt === undefined) return [];
    // The same cause again is not told again: an unreachable host would fill the log with one sentence.
    if (known?.failure === activity.failure) return [];
    return [
      { type: 'retry', step, host: hosts.get(step) ?? null, attempt: activity.attempt, failure: activity.failure },
    ];
  });
}

function newlyBlocked(before: InstallProgress | undefined, after: InstallProgress): ProgressEvent[] {
  const known = new Set(before?.blocked.map((blocked) => blocked.blocking));
  return after.blocked
    .filter((blocked) => !known.has(blocked.blocking))
    .map((blocked) => ({ type: 'blocked', ...blocked }));
}

function newDecisions(before: InstallProgress | undefined, after: InstallProgress): ProgressEvent[] {
  return after.decisions.slice(before?.decisions.length ?? 0).map((decision) => ({ type: 'decision', ...decision }));
}
