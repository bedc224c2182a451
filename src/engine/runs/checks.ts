import { WorkflowFailedError } from '@temporalio/client';
import { TypedSearchAttributes } from '@temporalio/common';
import type { Cluster } from '../../cluster/types.js';
import { KubewrightError, messageOf } from '../../errors.js';
import type { Depth } from '../../plan/depth.js';
import { OPERATIONS } from '../../plan/operations.js';
import type { CheckRequest } from '../../plan/run.js';
import { CLUSTER, OPERATION, STATE } from '../../workflows/engine/search-attributes.js';
import type { HealthReport } from '../../workflows/reports.js';
import type { Engine } from '../types.js';
import { checkIdOf, closedChecks, reportOf, type WrittenReport, withVerdict } from './check-reports.js';
import { readerOf } from './history.js';

/** What a check is started with, by a person or by a schedule. */
export function checkRequest(engine: Engine, { places: _, ...known }: Cluster, depth: Depth = 'deep'): CheckRequest {
  return { known, searchAttributes: engine.searchAttributes, ...(depth === 'deep' ? {} : { depth }) };
}

/** A check that hangs must not stand in the way of those behind it: one that is left out while another runs tells nothing. */
export const CHECK_LIMIT = '20 minutes';

/** Search attributes of a check when it starts; undefined where the namespace knows none. */
export function checkAttributes(engine: Engine, cluster: string): TypedSearchAttributes | undefined {
  if (!engine.searchAttributes) return undefined;
  return new TypedSearchAttributes([
    { key: CLUSTER, value: cluster },
    { key: OPERATION, value: 'check' },
    { key: STATE, value: 'running' },
  ]);
}

/**
 * Checks a cluster now, and waits for the report. One that is under way is waited for instead.
 *
 * @param cluster from `loadCluster`: says where the control planes are; what is checked is what was applied last
 * @param depth `quick` leaves out what needs a pod; what the latest deep check has found there stands
 * @throws KubewrightError KW604 when the check itself came to no end
 */
export async function checkNow(engine: Engine, cluster: Cluster, depth: Depth = 'deep'): Promise<HealthReport> {
  const { workflow, words } = OPERATIONS.check;
  const handle = await engine.client.workflow.start(workflow, {
    workflowId: checkIdOf(cluster.name, depth),
    taskQueue: engine.taskQueue,
    args: [{ ...checkRequest(engine, cluster, depth), asked: true }],
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    workflowIdConflictPolicy: 'USE_EXISTING',
    workflowExecutionTimeout: CHECK_LIMIT,
    workflowTaskTimeout: '5 seconds',
    typedSearchAttributes: checkAttributes(engine, cluster.name),
    staticSummary: `${words.title} ${cluster.name}`.slice(0, 66),
  });
  try {
    // One that was under way may have begun with earlier code.
    return withVerdict((await handle.result()) as WrittenReport);
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) throw error;
    throw new KubewrightError(
      'KW604',
      `the ${words.noun} of ${cluster.name} came to no end: ${messageOf(error.cause)}`,
      {
        hint: 'Look at it in Temporal, then check again with `kubewright health --now`.',
        cause: error,
      },
    );
  }
}

/**
 * The report of the latest health check that has looked at the cluster, whoever asked for it; undefined when there is none.
 *
 * @param asked those alone that were asked for as checks of this depth; left out: all
 */
export async function latestReport(engine: Engine, cluster: string, asked?: Depth): Promise<HealthReport | undefined> {
  const reader = readerOf(engine);
  for await (const check of closedChecks(reader, cluster, { asked, pageSize: 10 })) {
    if (check.memo?.skipped !== undefined) continue;
    const report = await reportOf(reader, check);
    if (report !== undefined) return report;
  }
  return undefined;
}
