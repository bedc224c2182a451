import type { WorkflowService } from '@temporalio/client';
import { decodeArrayFromPayloads } from '@temporalio/common/lib/internal-non-workflow/index.js';
import type { temporal } from '@temporalio/proto';
import type { Depth } from '../../plan/depth.js';
import { OPERATIONS } from '../../plan/operations.js';
import { HEALTH_MEMO, type HealthMemo, type HealthReport } from '../../workflows/reports.js';
import type { HistoryReader } from './history.js';
import { milliseconds } from './history-fold.js';

/** Whoever can list runs and read their histories: a client, and a worker. */
export interface RunReader extends HistoryReader {
  workflowService: Pick<WorkflowService, 'getWorkflowExecutionHistory' | 'listWorkflowExecutions'>;
}

/** A health check that has come to its end. */
export interface ClosedCheck {
  workflowId: string;
  runId: string;
  /** Milliseconds since the epoch. */
  closedAt: number;
  /** In short, what came of it; missing for checks of earlier code. */
  memo?: HealthMemo;
}

/** The id of a cluster's health checks; those of a schedule have the time behind it. Two schedules may be due in one second. */
export function checkIdOf(cluster: string, depth: Depth = 'deep'): string {
  return depth === 'quick' ? `check/${cluster}${QUICK}` : `check/${cluster}`;
}

/** No cluster's name has a slash in it. */
const QUICK = '/quick';

/** What Temporal adds to the ids of workflows that a schedule starts: the time that it was due. */
const SCHEDULED = /^-\d{4}-\d\d-\d\dT[\d:]+Z$/;

/** Most that one page holds: memos are small. */
const PAGE_SIZE = 500;

/**
 * The checks of a cluster that came to an end, the latest first, whoever asked for them.
 *
 * @param since milliseconds since the epoch; left out: all that the namespace's retention keeps
 * @param asked those alone that were asked for as checks of this depth; left out: all
 * @param pageSize how many are asked for at once: few where the first one is all that is wanted
 */
export async function* closedChecks(
  reader: RunReader,
  cluster: string,
  { since, asked, pageSize = PAGE_SIZE }: { since?: number; asked?: Depth; pageSize?: number } = {},
): AsyncGenerator<ClosedCheck, void> {
  const depths: Depth[] = asked === undefined ? ['deep', 'quick'] : [asked];
  const ids = depths.map((depth) => checkIdOf(cluster, depth));
  const query = [
    `WorkflowType = '${OPERATIONS.check.workflow}'`,
    "ExecutionStatus = 'Completed'",
    `(${ids.map((id) => `WorkflowId = '${id}' OR WorkflowId STARTS_WITH '${id}-'`).join(' OR ')})`,
    ...(since === undefined ? [] : [`CloseTime >= '${new Date(since).toISOString()}'`]),
  ].join(' AND ');
  const { workflowService, namespace } = reader;
  let nextPageToken: Uint8Array | undefined;
  do {
    const page = await workflowService.listWorkflowExecutions({ namespace, query, pageSize, nextPageToken });
    for (const run of page.executions ?? []) {
      const { workflowId, runId } = run.execution ?? {};
      // A cluster whose name begins with this one's has other ids.
      const isOurs = ids.some((id) => workflowId === id || isScheduled(id, workflowId ?? ''));
      if (!isOurs || !workflowId || !runId) continue;
      yield { workflowId, runId, closedAt: milliseconds(run.closeTime), ...(await memoOf(reader, run)) };
    }
    nextPageToken = page.nextPageToken ?? undefined;
  } while (nextPageToken !== undefined && nextPageToken.length > 0);
}

function isScheduled(id: string, workflowId: string): boolean {
  return workflowId.startsWith(id) && SCHEDULED.test(workflowId.slice(id.length));
}

async function memoOf(
  { converter }: RunReader,
  { memo }: temporal.api.workflow.v1.IWorkflowExecutionInfo,
): Promise<Pick<ClosedCheck, 'memo'>> {
  const payload = memo?.fields?.[HEALTH_MEMO];
  if (!payload) return {};
  const [told] = await decodeArrayFromPayloads(converter, [payload]);
  return { memo: told as HealthMemo };
}

/** temporal.api.enums.v1.HistoryEventFilterType: the last event alone. */
const CLOSE_EVENT = 2;

/** The report of a check; undefined where its retention is over. */
export async function reportOf(
  reader: RunReader,
  { workflowId, runId }: ClosedCheck,
): Promise<HealthReport | undefined> {
  const { history } = await reader.workflowService.getWorkflowExecutionHistory({
    namespace: reader.namespace,
    execution: { workflowId, runId },
    historyEventFilterType: CLOSE_EVENT,
  });
  const payloads = history?.events?.at(-1)?.workflowExecutionCompletedEventAttributes?.result?.payloads;
  const [report] = await decodeArrayFromPayloads(reader.converter, payloads);
  return report ? withVerdict(report as WrittenReport) : undefined;
}

/** As a check has left it: those of earlier code have no verdict. */
export type WrittenReport = Omit<HealthReport, 'verdict'> & Partial<Pick<HealthReport, 'verdict'>>;

/** A report as readers know it. Earlier code did not tell what is down, or could not be seen, from what is wrong. Pure. */
export function withVerdict(report: WrittenReport): HealthReport {
  const found = report.findings.length + (report.more ?? 0);
  return { ...report, verdict: report.verdict ?? (found === 0 ? 'ok' : 'degraded') };
}
