import { decodeArrayFromPayloads } from '@temporalio/common/lib/internal-non-workflow/index.js';
import type { DrillReport } from '../../plan/drill-report.js';
import { OPERATIONS } from '../../plan/operations.js';
import type { RunResult } from '../../workflows/types.js';
import { type Engine, workflowIdOf } from '../types.js';
import type { RunReader } from './check-reports.js';
import { readerOf } from './history.js';

/** Drills that are listed: each is one question more. */
const LISTED = 20;

/** temporal.api.enums.v1.HistoryEventFilterType: the last event alone. */
const CLOSE_EVENT = 2;

/** Reports of the latest drills of a cluster that came to their end, the latest first; as many as the namespace's retention keeps. */
export async function listDrills(engine: Engine, cluster: string, most = LISTED): Promise<DrillReport[]> {
  return readDrills(readerOf(engine), cluster, most);
}

/** The report of the latest one; undefined where there is none. */
export async function latestDrill(engine: Engine, cluster: string): Promise<DrillReport | undefined> {
  return (await listDrills(engine, cluster, 1))[0];
}

async function readDrills(reader: RunReader, cluster: string, most: number): Promise<DrillReport[]> {
  const query = [
    `WorkflowType = '${OPERATIONS.drill.workflow}'`,
    "ExecutionStatus = 'Completed'",
    `WorkflowId = '${workflowIdOf(cluster)}'`,
  ].join(' AND ');
  const { workflowService, namespace } = reader;
  const page = await workflowService.listWorkflowExecutions({ namespace, query, pageSize: most });
  const reports = await Promise.all((page.executions ?? []).map(({ execution }) => reportOf(reader, execution)));
  return reports.flatMap((report) => report ?? []);
}

type Execution = { workflowId?: string | null; runId?: string | null } | null | undefined;

async function reportOf(reader: RunReader, execution: Execution): Promise<DrillReport | undefined> {
  const [result] = await decodeArrayFromPayloads(reader.converter, await resultPayloads(reader, execution));
  return (result as RunResult | undefined)?.drill;
}

/** What a run that is completed has ended with; undefined where its retention is over. */
export async function resultPayloads({ workflowService, namespace }: RunReader, execution: Execution) {
  const { history } = await workflowService.getWorkflowExecutionHistory({
    namespace,
    execution,
    historyEventFilterType: CLOSE_EVENT,
  });
  return history?.events?.at(-1)?.workflowExecutionCompletedEventAttributes?.result?.payloads;
}
