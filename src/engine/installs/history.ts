import { decodeArrayFromPayloads } from '@temporalio/common/lib/internal-non-workflow/index.js';
import type { temporal } from '@temporalio/proto';
import type { InstallInput, InstallProgress } from '../../workflows/types.js';
import type { Engine } from '../types.js';
import { HistoryFold } from './history-fold.js';

type HistoryEvent = temporal.api.history.v1.IHistoryEvent;

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
 * what was left out with a worker are known to the workflow alone. That a person skipped a step is read from the search
 * attributes: the run called it blocked, and later no more. Where it wrote none, every parked step that was not tried
 * again counts as blocked. Nothing else ever makes a failed step a skipped one.
 */
export async function progressFromHistory(engine: Engine, workflowId: string, runId: string): Promise<InstallProgress> {
  const { events } = await engine.client.workflow.getHandle(workflowId, runId).fetchHistory();
  const all = (events ?? []) as HistoryEvent[];
  const input = await inputOf(engine, all[0]);
  const fold = new HistoryFold(engine.client.options.loadedDataConverter, input);
  for (const event of all) await fold.add(event);
  return fold.progress();
}
