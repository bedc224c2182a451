import { ActivityFailure, ChildWorkflowFailure, type LoadedDataConverter } from '@temporalio/common';
import {
  decodeArrayFromPayloads,
  decodeOptionalFailureToOptionalError,
} from '@temporalio/common/lib/internal-non-workflow/index.js';
import type { temporal } from '@temporalio/proto';
import { cut } from '../../plan/cut.js';
import type { GroupInput, RunInput, StepOutput } from '../../plan/run.js';
import { readFailure, type StepFailure } from '../../workflows/engine/failure.js';
import { GroupBooks } from '../../workflows/engine/group-books.js';
import { Ledger, workersOf } from '../../workflows/engine/ledger.js';
import { Overview } from '../../workflows/engine/overview.js';
import { BLOCKED_STEPS, isCutShort, STATE } from '../../workflows/engine/search-attributes.js';
import { TRIES } from '../../workflows/engine/tries.js';
import { asStep, type GroupStep, isGroup, type Unit } from '../../workflows/engine/units.js';
import { type GroupNews, type GroupReport, hasEnded, type RunProgress, type RunResult } from '../../workflows/types.js';

type HistoryEvent = temporal.api.history.v1.IHistoryEvent;
type Fields = Record<string, temporal.api.common.v1.IPayload> | null | undefined;

type Payloads = temporal.api.common.v1.IPayload[] | null | undefined;

/** Names of the signals between a run and its groups, as `group-messages.ts` defines them in the workflow. */
const NEWS = 'group-news';
const REPORT = 'group-report';

/** Keeps the books of a run, or of one of its groups, from its events, with the very ledger that the workflow keeps them with. */
export class HistoryFold {
  private readonly ledger: Ledger;
  private readonly groups: GroupBooks;
  private readonly overview: Overview;
  private readonly units: Map<string, Unit>;
  private readonly stepOfEvent = new Map<string, Unit>();
  private readonly tries = new Map<string, number>();
  /** Blocked steps that the run's search attributes have named, and those of them that they name no more. */
  private readonly listed = new Set<string>();
  private readonly withdrawn = new Set<string>();
  private now = 0;

  /** @param workflowId of the run, or of the group */
  constructor(
    private readonly converter: LoadedDataConverter,
    input: RunInput | GroupInput,
    workflowId: string,
  ) {
    const { cluster, plan, units, workers } = partsOf(input);
    this.units = new Map(units.map((unit) => [unit.id, unit]));
    this.ledger = new Ledger({ units, workers }, () => this.now);
    this.groups = new GroupBooks(units.filter(isGroup), workflowId);
    this.overview = new Overview(cluster, plan, this.ledger, this.groups);
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
    await this.onChild(event);
    await this.onSignal(event);
  }

  /** What becomes of the child workflows of groups. */
  private async onChild(event: HistoryEvent): Promise<void> {
    const initiated = event.startChildWorkflowExecutionInitiatedEventAttributes;
    if (initiated) this.onScheduled(String(event.eventId), initiated.workflowId?.split('/').at(-1) ?? '');
    const started = event.childWorkflowExecutionStartedEventAttributes;
    const begun = this.stepOfEvent.get(String(started?.initiatedEventId));
    if (begun) this.groups.started(begun.id, started?.workflowExecution?.runId ?? '');
    const completed = event.childWorkflowExecutionCompletedEventAttributes;
    const done = this.stepOfEvent.get(String(completed?.initiatedEventId));
    if (done) {
      const [result] = await decodeArrayFromPayloads(this.converter, completed?.result?.payloads);
      this.groups.finished(done.id, result as RunResult, this.ledger);
      this.ledger.finished(done, { outcome: 'unchanged', summary: '' });
    }
    const failed =
      event.childWorkflowExecutionFailedEventAttributes ??
      event.childWorkflowExecutionTerminatedEventAttributes ??
      event.childWorkflowExecutionCanceledEventAttributes;
    const ended = this.stepOfEvent.get(String(failed?.initiatedEventId));
    if (ended) {
      this.groups.failed(ended.id);
      const failure = new ChildWorkflowFailure(undefined, { workflowId: '' }, 'runGroup', 'NON_RETRYABLE_FAILURE');
      this.onTryFailed(ended, readFailure(failure, ended));
    }
  }

  /** What groups have told their root, and it them. Each holds all that there is to say, so the last one counts. */
  private async onSignal(event: HistoryEvent): Promise<void> {
    const received = event.workflowExecutionSignaledEventAttributes;
    const sent = event.signalExternalWorkflowExecutionInitiatedEventAttributes;
    if (received?.signalName === REPORT) {
      this.groups.reported(await this.first<GroupReport>(received.input?.payloads), this.ledger);
    }
    if (received?.signalName === NEWS) {
      this.ledger.leftElsewhere((await this.first<GroupNews>(received.input?.payloads)).without);
    }
    if (sent?.signalName === REPORT) {
      this.ledger.leftElsewhere((await this.first<GroupReport>(sent.input?.payloads)).leftOut);
    }
  }

  private async first<T>(payloads: Payloads): Promise<T> {
    const [value] = await decodeArrayFromPayloads(this.converter, payloads);
    return value as T;
  }

  progress(): RunProgress {
    for (const unit of this.units.values()) {
      // Blocked once, taken off the list and not tried again: a person has skipped it.
      const isSkipped = this.withdrawn.has(unit.id) && this.ledger.isBlocked(unit);
      const isLeftOut = this.ledger.isLeftOut(unit) && !hasEnded({ state: this.ledger.stateOf(unit) });
      if (isSkipped || isLeftOut) this.ledger.skipped(unit);
    }
    return { ...this.overview.progress(), decisions: [] };
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
    const step = this.units.get(id);
    if (step === undefined) return;
    this.stepOfEvent.set(event, step);
    // Scheduled anew, it was decided to be; one that a person is asked about is tried all the same.
    if (this.ledger.isBlocked(step) && !this.ledger.isAsked(step)) this.ledger.retried([id]);
    this.listed.delete(id);
    this.withdrawn.delete(id);
    this.ledger.started(step);
  }

  private async onCompleted(event: string, payloads: Payloads): Promise<void> {
    const step = this.stepOfEvent.get(event);
    if (step !== undefined) this.ledger.finished(step, await this.first<StepOutput>(payloads));
  }

  private async onFailed(event: string, failure: temporal.api.failure.v1.IFailure | null | undefined): Promise<void> {
    const step = this.stepOfEvent.get(event);
    if (step === undefined) return;
    const cause = await decodeOptionalFailureToOptionalError(this.converter, failure);
    const wrapped = new ActivityFailure('', step.action, step.id, 'NON_RETRYABLE_FAILURE', undefined, cause);
    this.onTryFailed(step, readFailure(wrapped, step));
  }

  private onTryFailed(step: Unit, facts: StepFailure): void {
    if (facts.waitedMs !== undefined) {
      this.ledger.asked(step, facts);
      return;
    }
    const tries = (this.tries.get(step.id) ?? 0) + 1;
    this.tries.set(step.id, tries % TRIES);
    if (tries < TRIES) this.ledger.failed(step, facts, tries);
    else this.ledger.parked(step, facts, tries);
  }
}

/** What a history's input says that is carried out there. */
function partsOf(input: RunInput | GroupInput) {
  if ('steps' in input) {
    const { cluster, steps, hosts } = input;
    return { cluster, plan: steps, units: steps as Unit[], workers: new Set(hosts) };
  }
  const { own, groups } = cut(input.plan);
  const units: Unit[] = [...groups.map((group): GroupStep => asStep(group)), ...own];
  return { cluster: input.cluster.name, plan: input.plan, units, workers: workersOf(input) };
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
