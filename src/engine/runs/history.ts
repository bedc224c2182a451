import { WorkflowNotFoundError, type WorkflowService } from '@temporalio/client';
import type { LoadedDataConverter } from '@temporalio/common';
import { decodeArrayFromPayloads } from '@temporalio/common/lib/internal-non-workflow/index.js';
import type { temporal } from '@temporalio/proto';
import { KubewrightError } from '../../errors.js';
import type { GroupInput, RunInput, RunReference } from '../../plan/run.js';
import type { RunProgress } from '../../workflows/types.js';
import { type Engine, workflowIdOf } from '../types.js';
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
  return (await inputOf(reader.converter, response.history?.events?.[0])) as RunInput;
}

/** The same, for a client. */
export function readInput(engine: Engine, workflowId: string, runId: string): Promise<RunInput> {
  return readRun(readerOf(engine), { workflowId, runId });
}

/**
 * What the latest run that changed a cluster was started with.
 *
 * @throws KubewrightError KW523 when there is none
 */
export async function readLatestInput(engine: Engine, cluster: string): Promise<RunInput> {
  const workflowId = workflowIdOf(cluster);
  try {
    const { runId } = await engine.client.workflow.getHandle(workflowId).describe();
    return await readInput(engine, workflowId, runId);
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
    throw new KubewrightError('KW523', `There is no install of cluster ${cluster}`, {
      hint: 'Give its cluster.yaml instead; `kubewright status` lists the clusters that this server knows.',
    });
  }
}

/** Addresses of the hosts of a run, by their names. */
export function addressesIn({ cluster }: RunInput): Record<string, string> {
  return Object.fromEntries(cluster.hosts.map(({ name, address }) => [name, address]));
}

/** A client's way to histories. */
export function readerOf({ client, settings }: Engine): HistoryReader & { workflowService: WorkflowService } {
  const { workflowService, options } = client;
  return { workflowService, namespace: settings.namespace, converter: options.loadedDataConverter };
}

async function inputOf(
  converter: LoadedDataConverter,
  event: HistoryEvent | undefined,
): Promise<RunInput | GroupInput> {
  const payloads = event?.workflowExecutionStartedEventAttributes?.input?.payloads;
  const [input] = await decodeArrayFromPayloads(converter, payloads);
  return input as RunInput | GroupInput;
}

/** Events that are asked for at once: those of a page must fit into a gRPC message of 4 MiB. */
const PAGE_SIZE = 100;

async function* eventsOf(reader: HistoryReader, { workflowId, runId }: RunReference): AsyncGenerator<HistoryEvent> {
  let nextPageToken: Uint8Array | undefined;
  do {
    const page = await reader.workflowService.getWorkflowExecutionHistory({
      namespace: reader.namespace,
      execution: { workflowId, runId },
      maximumPageSize: PAGE_SIZE,
      nextPageToken,
    });
    yield* page.history?.events ?? [];
    nextPageToken = page.nextPageToken ?? undefined;
  } while (nextPageToken !== undefined && nextPageToken.length > 0);
}

/**
 * Where a run, or a group of one, stands as far as its history tells: what `status` shows while no worker can be asked.
 * Decisions are known to the workflow alone. That a person skipped a step is read from the search attributes: the run
 * called it blocked, and later no more. Where it wrote none, every parked step that was not tried again counts as blocked.
 * Hosts that were left out are read from what groups have reported.
 */
export async function progressFromHistory(engine: Engine, workflowId: string, runId: string): Promise<RunProgress> {
  const reader = readerOf(engine);
  let fold: HistoryFold | undefined;
  for await (const event of eventsOf(reader, { workflowId, runId })) {
    fold ??= new HistoryFold(reader.converter, await inputOf(reader.converter, event), workflowId);
    await fold.add(event);
  }
  if (fold === undefined) throw new KubewrightError('KW565', `Temporal has no events of ${workflowId} (run ${runId})`);
  return fold.progress();
}
