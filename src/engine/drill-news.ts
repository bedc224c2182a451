import { decodeArrayFromPayloads } from '@temporalio/common/lib/internal-non-workflow/index.js';
import { SCHEDULED_DRILL, type ScheduledDrillReport } from '../plan/scheduled-drill.js';
import { type DrillSchedule, findDrillSchedule } from './drill-schedules.js';
import type { RunReader } from './runs/check-reports.js';
import { resultPayloads } from './runs/drill-reports.js';
import { readerOf } from './runs/history.js';
import { scheduleIdOf, silentSince } from './schedule-keys.js';
import type { Engine } from './types.js';

/** What is known of a cluster's scheduled drills. */
export interface DrillNews {
  /** The schedule; missing where there is none. */
  schedule?: DrillSchedule;
  /** Since when it should have begun one and has not, milliseconds since the epoch. */
  silentSince?: number;
  /** What came of the last one that was due; missing where there was none, or the namespace's retention is over. */
  last?: ScheduledDrillReport;
}

/** The schedule of a cluster's drills, and what came of the last one that was due. */
export async function readDrillNews(engine: Engine, cluster: string, now = Date.now()): Promise<DrillNews> {
  const schedule = await findDrillSchedule(engine, cluster);
  if (schedule === undefined) return {};
  const last = await lastScheduled(readerOf(engine), cluster);
  const silent = schedule.underWay ? undefined : silentSince(schedule, schedule.beganAt, now, 'drill');
  return {
    schedule,
    ...(silent === undefined ? {} : { silentSince: silent }),
    ...(last === undefined ? {} : { last }),
  };
}

async function lastScheduled(reader: RunReader, cluster: string): Promise<ScheduledDrillReport | undefined> {
  const query = [
    `WorkflowType = '${SCHEDULED_DRILL}'`,
    "ExecutionStatus = 'Completed'",
    `TemporalScheduledById = '${scheduleIdOf({ cluster, kind: 'drill' })}'`,
  ].join(' AND ');
  const { workflowService, namespace } = reader;
  const { executions } = await workflowService.listWorkflowExecutions({ namespace, query, pageSize: 1 });
  const [run] = executions ?? [];
  if (!run) return undefined;
  const payloads = await resultPayloads(reader, run.execution);
  const [report] = await decodeArrayFromPayloads(reader.converter, payloads);
  return report as ScheduledDrillReport | undefined;
}
