import { ActivityFailure } from '@temporalio/common';
import {
  decodeArrayFromPayloads,
  decodeOptionalFailureToOptionalError,
} from '@temporalio/common/lib/internal-non-workflow/index.js';
import type { temporal } from '@temporalio/proto';
import type { StepOutput } from '../../activities/types.js';
import { readFailure } from '../../workflows/failure.js';
import { BLOCKED_STEPS, STATE } from '../../workflows/search-attributes.js';
import type { BlockedStep, InstallInput, InstallProgress, StepProgress } from '../../workflows/types.js';
import type { Engine } from '../types.js';

type HistoryEvent = temporal.api.history.v1.IHistoryEvent;
type Timestamp = HistoryEvent['eventTime'];

/** What a run was started with: the plan that it carries out, whatever the file says by now. */
export async function readInput(engine: Engine, workflowId: string, runId: string): Promise<InstallInput> {
  const { client, settings } = engine;
  const response = await client.workflowService.getWorkflowExecutionHistory({
    namespace: settings.namespace,
    execution: { workflowId, runId },
    maximumPageSize: 1,
  });
  return inputOf(engine, response.history?.events?.[0]);
}

async function inputOf(engine: Engine, event: HistoryEvent | undefined): Promise<InstallInput> {
  const payloads = event?.workflowExecutionStartedEventAttributes?.input?.payloads;
  const [input] = await decodeArrayFromPayloads(engine.client.options.loadedDataConverter, payloads);
  return input as InstallInput;
}

/**
 * Where an install stands as far as its history tells: what `status` shows while no worker can be asked. Decisions and
 * what was left out with a worker are known to the workflow alone. Which parked steps are still blocked is read from the
 * search attributes that the run wrote; where it wrote none, every parked step that was not tried again counts.
 */
export async function progressFromHistory(engine: Engine, workflowId: string, runId: string): Promise<InstallProgress> {
  const { events } = await engine.client.workflow.getHandle(workflowId, runId).fetchHistory();
  const all = (events ?? []) as HistoryEvent[];
  const input = await inputOf(engine, all[0]);
  const fold = new HistoryFold(engine, input);
  for (const event of all) await fold.add(event);
  return fold.progress();
}

/** Tries after which a step parks, see `recoverableStep`. */
const TRIES = 2;

class HistoryFold {
  private readonly steps = new Map<string, StepProgress>();
  private readonly stepOfEvent = new Map<string, string>();
  private readonly failures = new Map<string, number>();
  private readonly parked = new Map<string, BlockedStep>();
  private blockings = 0;
  /** Ids that the run last called blocked while it was open; undefined when it wrote no search attributes. */
  private blockedSteps: string[] | undefined;

  constructor(
    private readonly engine: Engine,
    private readonly input: InstallInput,
  ) {
    for (const { id, title, phase, host } of input.plan)
      this.steps.set(id, { id, title, phase, host, state: 'waiting' });
  }

  async add(event: HistoryEvent): Promise<void> {
    const scheduled = event.activityTaskScheduledEventAttributes;
    if (scheduled) return this.onScheduled(event, scheduled.activityId ?? '');
    const completed = event.activityTaskCompletedEventAttributes;
    if (completed) {
      const [output] = await decodeArrayFromPayloads(this.converter, completed.result?.payloads);
      return this.onCompleted(String(completed.scheduledEventId), event, output as StepOutput);
    }
    const failed = event.activityTaskFailedEventAttributes;
    if (failed) await this.onFailed(String(failed.scheduledEventId), event, failed.failure);
    this.onAttributes(event.upsertWorkflowSearchAttributesEventAttributes?.searchAttributes?.indexedFields);
  }

  progress(): InstallProgress {
    const blocked = [...this.parked.values()].filter((step) => this.blockedSteps?.includes(step.step) ?? true);
    for (const step of this.parked.values()) {
      const entry = this.steps.get(step.step);
      // Parked once, not blocked any more and not tried again: a person has skipped it.
      if (entry !== undefined) entry.state = blocked.includes(step) ? 'blocked' : 'skipped';
    }
    const steps = [...this.steps.values()];
    const ended = steps.every((step) => step.state === 'done' || step.state === 'skipped');
    const state = blocked.length > 0 ? 'blocked' : ended ? 'done' : 'running';
    return { cluster: this.input.cluster.name, state, steps, blocked, decisions: [] };
  }

  private get converter() {
    return this.engine.client.options.loadedDataConverter;
  }

  /** A run that is ending withdraws its blocked steps from the list of stuck installs; they were blocked all the same. */
  private onAttributes(fields: Record<string, temporal.api.common.v1.IPayload> | null | undefined): void {
    const state = fields?.[STATE.name];
    if (state === undefined || ['aborted', 'cancelled'].includes(String(attributeOf(state)))) return;
    this.blockedSteps = (attributeOf(fields?.[BLOCKED_STEPS.name]) as string[] | null | undefined) ?? [];
  }

  private onScheduled(event: HistoryEvent, id: string): void {
    this.stepOfEvent.set(String(event.eventId), id);
    this.parked.delete(id);
    const entry = this.steps.get(id);
    if (entry === undefined) return;
    entry.state = 'running';
    entry.startedAt ??= milliseconds(event.eventTime);
  }

  private onCompleted(scheduledEvent: string, event: HistoryEvent, output: StepOutput): void {
    const entry = this.steps.get(this.stepOfEvent.get(scheduledEvent) ?? '');
    if (entry !== undefined) Object.assign(entry, output, { state: 'done', endedAt: milliseconds(event.eventTime) });
  }

  private async onFailed(
    scheduledEvent: string,
    event: HistoryEvent,
    failure: temporal.api.failure.v1.IFailure | null | undefined,
  ): Promise<void> {
    const id = this.stepOfEvent.get(scheduledEvent) ?? '';
    const step = this.input.plan.find((candidate) => candidate.id === id);
    if (step === undefined) return;
    const tries = (this.failures.get(id) ?? 0) + 1;
    this.failures.set(id, tries % TRIES);
    if (tries < TRIES) return;
    this.blockings += 1;
    const cause = await decodeOptionalFailureToOptionalError(this.converter, failure);
    const facts = readFailure(
      new ActivityFailure('', step.action, id, 'NON_RETRYABLE_FAILURE', undefined, cause),
      step,
    );
    const { skippable } = step;
    const since = milliseconds(event.eventTime);
    this.parked.set(id, { ...facts, step: id, blocking: this.blockings, tries, since, skippable });
  }
}

/** Search attributes are JSON that no codec touches: the server reads them. */
function attributeOf(payload: temporal.api.common.v1.IPayload | undefined): unknown {
  const text = Buffer.from(payload?.data ?? '').toString('utf8');
  return text === '' ? undefined : JSON.parse(text);
}

/** Milliseconds since the epoch of a protobuf timestamp. */
export function milliseconds(timestamp: Timestamp): number {
  return Number(timestamp?.seconds ?? 0) * 1000 + Math.floor((timestamp?.nanos ?? 0) / 1e6);
}
