import { ActivityFailure, type LoadedDataConverter } from '@temporalio/common';
import {
  decodeArrayFromPayloads,
  decodeOptionalFailureToOptionalError,
} from '@temporalio/common/lib/internal-non-workflow/index.js';
import type { temporal } from '@temporalio/proto';
import type { RunInput, StepOutput } from '../../plan/run.js';
import type { Step } from '../../plan/types.js';
import { readFailure } from '../../workflows/engine/failure.js';
import { Ledger } from '../../workflows/engine/ledger.js';
import { BLOCKED_STEPS, isCutShort, STATE } from '../../workflows/engine/search-attributes.js';
import { TRIES } from '../../workflows/engine/tries.js';
import type { RunProgress } from '../../workflows/types.js';

type HistoryEvent = temporal.api.history.v1.IHistoryEvent;
type Fields = Record<string, temporal.api.common.v1.IPayload> | null | undefined;

/** Keeps a run's books from its events, with the very ledger that the workflow keeps them with. */
export class HistoryFold {
  private readonly ledger: Ledger;
  private readonly steps: Map<string, Step>;
  private readonly stepOfEvent = new Map<string, Step>();
  private readonly tries = new Map<string, number>();
  /** Blocked steps that the run's search attributes have named, and those of them that they name no more. */
  private readonly listed = new Set<string>();
  private readonly withdrawn = new Set<string>();
  private now = 0;

  constructor(
    private readonly converter: LoadedDataConverter,
    input: RunInput,
  ) {
    this.ledger = new Ledger(input, () => this.now);
    this.steps = new Map(input.plan.map((step) => [step.id, step]));
  }

  async add(event: HistoryEvent): Promise<void> {
    this.now = milliseconds(event.eventTime);
    const scheduled = event.activityTaskScheduledEventAttributes;
    if (scheduled) this.onScheduled(String(event.eventId), scheduled.activityId ?? '');
    const completed = event.activityTaskCompletedEventAttributes;
    if (completed) await this.onCompleted(String(completed.scheduledEventId), completed.result?.payloads);
    const failed = event.activityTaskFailedEventAttributes;
    if (failed) await this.onFailed(String(failed.scheduledEventId), failed.failure);
    const timedOut = event.activityTaskTimedOutEventAttributes;
    if (timedOut) await this.onFailed(String(timedOut.scheduledEventId), timedOut.failure);
    this.onAttributes(event.upsertWorkflowSearchAttributesEventAttributes?.searchAttributes?.indexedFields);
  }

  progress(): RunProgress {
    for (const id of this.withdrawn) {
      const step = this.steps.get(id);
      // Blocked once, taken off the list and not tried again: a person has skipped it.
      if (step !== undefined && this.ledger.isBlocked(step)) this.ledger.skipped(step);
    }
    return { ...this.ledger.progress(), decisions: [] };
  }

  /** A run that is ending withdraws its blocked steps from the list of stuck installs; they were blocked all the same. */
  private onAttributes(fields: Fields): void {
    const state = fields?.[STATE.name];
    if (state === undefined || ['aborted', 'cancelled'].includes(String(attributeOf(state)))) return;
    const named = (attributeOf(fields?.[BLOCKED_STEPS.name]) as string[] | null | undefined) ?? [];
    // Where not all names fitted into the attribute, one that is not there says nothing.
    if (!isCutShort(named)) for (const id of this.listed) if (!named.includes(id)) this.withdrawn.add(id);
    for (const id of named) this.listed.add(id);
  }

  private onScheduled(event: string, id: string): void {
    const step = this.steps.get(id);
    if (step === undefined) return;
    this.stepOfEvent.set(event, step);
    // Scheduled anew, it was decided to be; one that a person is asked about is tried all the same.
    if (this.ledger.isBlocked(step) && !this.ledger.isAsked(step)) this.ledger.retried([id]);
    this.listed.delete(id);
    this.withdrawn.delete(id);
    this.ledger.started(step);
  }

  private async onCompleted(event: string, payloads: temporal.api.common.v1.IPayload[] | null | undefined) {
    const step = this.stepOfEvent.get(event);
    const [output] = await decodeArrayFromPayloads(this.converter, payloads);
    if (step !== undefined) this.ledger.finished(step, output as StepOutput);
  }

  private async onFailed(event: string, failure: temporal.api.failure.v1.IFailure | null | undefined): Promise<void> {
    const step = this.stepOfEvent.get(event);
    if (step === undefined) return;
    const cause = await decodeOptionalFailureToOptionalError(this.converter, failure);
    const facts = readFailure(
      new ActivityFailure('', step.action, step.id, 'NON_RETRYABLE_FAILURE', undefined, cause),
      step,
    );
    if (facts.waitedMs !== undefined) return this.ledger.asked(step, facts);
    const tries = (this.tries.get(step.id) ?? 0) + 1;
    this.tries.set(step.id, tries % TRIES);
    if (tries < TRIES) this.ledger.failed(step, facts, tries);
    else this.ledger.parked(step, facts, tries);
  }
}

/** The value of a search attribute. They are JSON that no codec touches: the server reads them. */
export function attributeOf(payload: temporal.api.common.v1.IPayload | undefined): unknown {
  const text = Buffer.from(payload?.data ?? '').toString('utf8');
  return text === '' ? undefined : JSON.parse(text);
}

/** Milliseconds since the epoch of a protobuf timestamp. */
export function milliseconds(timestamp: HistoryEvent['eventTime']): number {
  return Number(timestamp?.seconds ?? 0) * 1000 + Math.floor((timestamp?.nanos ?? 0) / 1e6);
}
