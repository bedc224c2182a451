import type { StepActivity } from '../engine/types.js';
import type { RunProgress } from '../workflows/types.js';
import type { FailedEvent, PlanEvent, ProgressEvent, RetryEvent, StepEvent, WaitingEvent } from './json/events.js';
import type { InstallView } from './types.js';

/** Nobody should wait longer than this for a line. */
const TELL_AGAIN_MS = 60_000;
/** A reason that flickers must not fill the log. */
const APART_MS = 5_000;

/**
 * Tells what happens in an install, from one moment to the next; at the first one everything that has happened so far,
 * the plan first. It remembers what it has told: a moment that was read from the history knows of no decisions, and the
 * ones before it must not be told anew behind it.
 */
export class Chronicle {
  private before: InstallView | undefined;
  private decision = 0;
  private readonly blockings = new Set<string>();
  private readonly reasons = new Map<string, { reason: string; at: number }>();

  /** @param now milliseconds since the epoch */
  next(after: InstallView, now: number): ProgressEvent[] {
    const { before } = this;
    // A Reset begins a new run, whose numbers begin anew.
    if (before !== undefined && before.runId !== after.runId) this.forget();
    this.before = after;
    return [
      ...(before === undefined ? [planEvent(after)] : []),
      ...this.newDecisions(after.progress),
      ...stepEvents(before, after),
      ...failedEvents(before, after),
      ...this.retryEvents(before, after, now),
      ...this.waitingEvents(after, now),
      ...this.newlyBlocked(after.progress),
      ...(before?.progress.state === after.progress.state
        ? []
        : [{ type: 'state' as const, state: after.progress.state }]),
    ];
  }

  private forget(): void {
    this.decision = 0;
    this.blockings.clear();
    this.reasons.clear();
  }

  private newDecisions({ decisions }: RunProgress): ProgressEvent[] {
    // Runs of 0.1.0 did not number them.
    const numbered = decisions.map((decision, index) => ({ ...decision, number: decision.number ?? index + 1 }));
    const fresh = numbered.filter(({ number }) => number > this.decision);
    this.decision = Math.max(this.decision, ...fresh.map(({ number }) => number));
    return fresh.map((decision) => ({ type: 'decision', ...decision }));
  }

  private newlyBlocked({ blocked }: RunProgress): ProgressEvent[] {
    const fresh = blocked.filter(({ step, blocking }) => !this.blockings.has(`${blocking} ${step}`));
    for (const { step, blocking } of fresh) this.blockings.add(`${blocking} ${step}`);
    return fresh.map((one) => ({ type: 'blocked', ...one }));
  }

  /** A try that met what may heal by itself. The same cause again is told by the minute only. */
  private retryEvents(before: InstallView | undefined, after: InstallView, now: number): RetryEvent[] {
    const hosts = new Map(after.progress.steps.map((step) => [step.id, step.host]));
    return Object.entries(after.activities).flatMap(([step, { failure, nextAttemptAt, attempt }]): RetryEvent[] => {
      if (failure === undefined || nextAttemptAt === undefined) return [];
      if (before?.activities[step]?.failure === failure) return [];
      if (this.reasons.get(step)?.reason === failure) return [];
      this.reasons.set(step, { reason: failure, at: now });
      return [{ type: 'retry', step, host: hosts.get(step) ?? null, attempt, failure }];
    });
  }

  private waitingEvents({ progress, activities }: InstallView, now: number): WaitingEvent[] {
    const asked = new Set(progress.blocked.filter((one) => one.retrying).map((one) => one.step));
    const open = progress.steps.filter(({ id, state }) => state === 'running' || asked.has(id));
    const ids = new Set(open.map(({ id }) => id));
    for (const id of this.reasons.keys()) if (!ids.has(id)) this.reasons.delete(id);
    return open.flatMap(({ id, host, startedAt }): WaitingEvent[] => {
      const activity = activities[id];
      if (activity === undefined) return [];
      const reason = reasonOf(activity);
      const told = this.reasons.get(id);
      if (!this.isDue(told, reason, now)) {
        if (told === undefined) this.reasons.set(id, { reason: '', at: startedAt ?? now });
        return [];
      }
      this.reasons.set(id, { reason, at: now });
      const durationMs = startedAt === undefined ? undefined : now - startedAt;
      return [{ type: 'waiting', step: id, host, reason, attempt: activity.attempt, durationMs }];
    });
  }

  private isDue(told: { reason: string; at: number } | undefined, reason: string, now: number): boolean {
    const isWaiting = /^waiting/.test(reason);
    if (told === undefined) return isWaiting;
    const passed = now - told.at;
    return (
      passed >= TELL_AGAIN_MS || (isWaiting && reason !== told.reason && (told.reason === '' || passed >= APART_MS))
    );
  }
}

function reasonOf(activity: StepActivity): string {
  if (activity.paused) return 'paused in Temporal: `Unpause` there lets it go on';
  return (activity.nextAttemptAt === undefined ? activity.line : activity.failure) || activity.stage || 'begins';
}

function failedEvents(before: InstallView | undefined, after: InstallView): FailedEvent[] {
  const known = new Map(before?.progress.steps.map((step) => [step.id, step.failed?.at]));
  return after.progress.steps.flatMap(({ id, failed }): FailedEvent[] => {
    if (failed === undefined || known.get(id) === failed.at) return [];
    return [{ type: 'failed', step: id, ...failed }];
  });
}

function planEvent({ progress }: InstallView): PlanEvent {
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
