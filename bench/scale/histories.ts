import protobuf, { type temporal } from '@temporalio/proto';
import type { Engine } from '../../src/engine/index.js';

const { HistoryEvent } = protobuf.temporal.api.history.v1;

type Event = temporal.api.history.v1.IHistoryEvent;

/** How large a workflow became. Bytes. */
export interface HistorySize {
  events: number;
  bytes: number;
  largestEvent: number;
  /** Of one workflow task: the commands that its answer held, or the events that it was given. */
  largestTask: number;
}

/** What a server takes as it is shipped: https://docs.temporal.io/cloud/limits, and dynamic configuration's defaults. */
export const LIMITS: HistorySize = {
  events: 51_200,
  bytes: 50 * 1_048_576,
  largestEvent: 2 * 1_048_576,
  largestTask: 4 * 1_048_576,
};

/** The history of one workflow, measured. */
export async function measureHistory(engine: Engine, workflowId: string): Promise<HistorySize> {
  const handle = engine.client.workflow.getHandle(workflowId);
  const { raw } = await handle.describe();
  const events = (await handle.fetchHistory()).events ?? [];
  const sizes = events.map((event) => HistoryEvent.encode(event).finish().length);
  return {
    events: events.length,
    bytes: Number(raw.workflowExecutionInfo?.historySizeBytes),
    largestEvent: Math.max(...sizes),
    largestTask: largestTaskOf(events, sizes),
  };
}

/** The first event is given to every worker that begins anew, and to the first task. */
function largestTaskOf(events: Event[], sizes: number[]): number {
  const answers = new Map<string, number>();
  let [given, largest] = [0, 0];
  for (const [index, event] of events.entries()) {
    const size = sizes[index] ?? 0;
    const task = taskOf(event);
    if (task !== undefined) answers.set(task, (answers.get(task) ?? 0) + size);
    given = event.workflowTaskCompletedEventAttributes ? 0 : given + size;
    largest = Math.max(largest, given);
  }
  return Math.max(largest, ...answers.values());
}

/** Id of the workflow task whose answer made an event. */
function taskOf(event: Event): string | undefined {
  for (const attributes of Object.values(event)) {
    const id = (attributes as { workflowTaskCompletedEventId?: unknown } | null)?.workflowTaskCompletedEventId;
    if (id !== undefined && id !== null) return String(id);
  }
  return undefined;
}

/** Of several workflows of one kind, the most of each figure. */
export function largest(sizes: HistorySize[]): HistorySize | undefined {
  if (sizes.length === 0) return undefined;
  const most = (key: keyof HistorySize) => Math.max(...sizes.map((size) => size[key]));
  return {
    events: most('events'),
    bytes: most('bytes'),
    largestEvent: most('largestEvent'),
    largestTask: most('largestTask'),
  };
}
