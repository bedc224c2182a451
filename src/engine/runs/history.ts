import type { WorkflowService } from '@temporalio/client';
import type { LoadedDataConverter } from '@temporalio/common';
import { decodeArrayFromPayloads } from '@temporalio/common/lib/internal-non-workflow/index.js';
import type { temporal } from '@temporalio/proto';
import type { RunInput, RunReference } from '../../plan/run.js';
import type { RunProgress } from '../../workflows/types.js';
import type { Engine } from '../types.js';
import { HistoryFold } from './history-fold.js';

type HistoryEvent = temporal.api.history.v1.IHistoryEvent;

/** Whoever can ask for a history and read what is in it: a client, and a worker. */
export interface HistoryReader {
  workflowService: Pick<WorkflowService, 'getWorkflowExecutionHistory'>;
  namespace: string;
  converter: LoadedDataConverter;
}

/** What a run was started with: the plan that it carries out, whatever the file says by now. */
export async function readRun(reader: HistoryReader, { workflowId, runId }: RunReference): Promise<RunInput> {
  const response = await reader.workflowService.getWorkflowExecutionHistory({
    namespace: reader.namespace,
    execution: { workflowId, runId },
    maximumPageSize: 1,
  });
  return inputOf(reader.converter, response.history?.events?.[0]);
}

/** The same, for a client. */
export function readInput(engine: Engine, workflowId: string, runId: string): Promise<RunInput> {
  const { client, settings } = engine;
  const reader = {
    workflowService: client.workflowService,
    namespace: settings.namespace,
    converter: client.options.loadedDataConverter,
  };
  return readRun(reader, { workflowId, runId });
}

async function inputOf(converter: LoadedDataConverter, event: HistoryEvent | undefined): Promise<RunInput> {
  const payloads = event?.workflowExecutionStartedEventAttributes?.input?.payloads;
  const [input] = await decodeArrayFromPayloads(converter, payloads);
  return input as RunInput;
}

/**
 * Where an install stands as far as its history tells: what `status` shows while no worker can be asked. Decisions and
 * what was left out with a worker are known to the workflow alone. That a person skipped a step is read from the search
 * attributes: the run called it blocked, and later no more. Where it wrote none, every parked step that was not tried
 * again counts as blocked. Nothing else ever makes a failed step a skipped one.
 */
export async function progressFromHistory(engine: Engine, workflowId: string, runId: string): Promise<RunProgress> {
  const { events } = await engine.client.workflow.getHandle(workflowId, runId).fetchHistory();
  const all = (events ?? []) as HistoryEvent[];
  const input = await inputOf(engine.client.options.loadedDataConverter, all[0]);
  const fold = new HistoryFold(engine.client.options.loadedDataConverter, input);
  for (const event of all) await fold.add(event);
  return fold.progress();
}
