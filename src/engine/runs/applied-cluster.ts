import type { Cluster } from '../../cluster/types.js';
import { OPERATION_NAMES, OPERATIONS, type Operation, operationOf } from '../../plan/operations.js';
import type { Step } from '../../plan/types.js';
import type { RunProgress, RunResult } from '../../workflows/types.js';
import type { HealthNews } from '../health-news.js';
import { type Engine, workflowIdOf } from '../types.js';
import { readerOf, readInput, readRun } from './history.js';
import { milliseconds } from './history-fold.js';
import type { DescribedRun } from './watch-run.js';

/** What was applied to a cluster last, as far as Temporal knows. */
export interface AppliedCluster {
  /**
   * `record`: a health check has read the record that the control planes keep. `run`: an operation was started with it and ended well;
   * where a check has not looked since, nobody else has told.
   */
  from: 'record' | 'run';
  /** Without the hosts that were left out. */
  cluster: Cluster;
  /** When the check began that has read the record, or when the operation ended; milliseconds since the epoch. */
  at: number;
  /** Number of the record; absent where Temporal does not tell it. */
  generation?: number;
  /** Build of Kubewright that wrote the record; likewise. */
  build?: string;
  /** Of a `run`: what it carried out. */
  operation?: Operation;
}

/** Behind a reset of the whole cluster: its hosts were given back, and nothing is applied to them. */
export interface GivenBack {
  from: 'reset';
  /** When the reset ended, milliseconds since the epoch. */
  at: number;
}

/**
 * What was applied last, without asking a host. The record of it is with the control planes alone; but each health check is planned
 * from it, and the plan's input stands in the first event of the check. Behind an operation that has ended since then the check knows
 * less than the operation's own input.
 *
 * @returns undefined where neither a check nor an operation tells
 */
export async function readAppliedCluster(
  engine: Engine,
  cluster: string,
  known: { run?: DescribedRun; health: HealthNews },
): Promise<AppliedCluster | GivenBack | undefined> {
  const [record, run] = await Promise.all([
    fromCheck(engine, known.health),
    fromRun(engine, await lastCompleted(engine, cluster, known.run)),
  ]);
  return newer(record, run);
}

/** The record counts where it was read after the operation had ended, which has written it. Pure. */
export function newer<T extends AppliedCluster | GivenBack>(
  record: AppliedCluster | undefined,
  run: T | undefined,
): AppliedCluster | T | undefined {
  if (record === undefined || run === undefined) return record ?? run;
  return record.at >= run.at ? record : run;
}

async function fromCheck(engine: Engine, { reportedBy }: HealthNews): Promise<AppliedCluster | undefined> {
  if (reportedBy === undefined) return undefined;
  const { cluster, check } = await readRun(readerOf(engine), reportedBy);
  if (check?.applied === undefined) return undefined;
  const { generation, build } = check.applied;
  return { from: 'record', cluster, at: check.begunAt ?? 0, generation, build };
}

/** As a query names them. */
const APPLYING = OPERATION_NAMES.filter((name) => OPERATIONS[name].applies)
  .map((name) => `'${OPERATIONS[name].workflow}'`)
  .join(', ');

type Completed = Pick<DescribedRun, 'workflowId' | 'runId' | 'closedAt' | 'result'> & {
  operation: Operation;
  /** Of the latest operation; of one before it the input is all that is read. */
  progress?: RunProgress;
};

async function fromRun(engine: Engine, run: Completed | undefined): Promise<AppliedCluster | GivenBack | undefined> {
  if (run === undefined) return undefined;
  const { workflowId, runId, closedAt = 0, operation, result, progress } = run;
  const { cluster, plan } = await readInput(engine, workflowId, runId);
  const leaving = operation === 'reset' ? leavingOf(plan) : [];
  if (leaving === 'all') return { from: 'reset', at: closedAt };
  const leftOut = new Set([...leftOutOf(cluster, result), ...leaving]);
  const hosts = cluster.hosts.filter(({ name }) => !leftOut.has(name));
  return { from: 'run', cluster: { ...cluster, hosts }, at: closedAt, operation, ...markIn(progress) };
}

/** What the run says of the record that it has written, as its last step. */
function markIn(progress: RunProgress | undefined): Pick<AppliedCluster, 'generation' | 'build'> {
  const { generation, build } = progress?.steps.find(({ id }) => id === 'cluster/record')?.data ?? {};
  return {
    ...(typeof generation === 'number' ? { generation } : {}),
    ...(typeof build === 'string' ? { build } : {}),
  };
}

/** Names of the hosts that a reset takes out of a cluster which goes on. Pure. */
export function leavingOf(plan: readonly Pick<Step, 'action' | 'with'>[]): string[] | 'all' {
  const record = plan.find(({ action }) => action === 'recordReset');
  return record === undefined ? 'all' : [String(record.with?.host)];
}

/** Workers of which a step was skipped, or that never answered: they are no part of the cluster. Pure. */
export function leftOutOf(
  cluster: Cluster,
  result: Partial<Pick<RunResult, 'skipped' | 'unreachable'>> = {},
): Set<string> {
  const skipped = new Set((result.skipped ?? []).map((id) => id.split('/')[0]));
  const workers = cluster.hosts.filter(({ role }) => role === 'worker').map(({ name }) => name);
  return new Set([...(result.unreachable ?? []), ...workers.filter((name) => skipped.has(name))]);
}

/** The latest operation that has ended well and applies what it was started with: the one that is known, or one before it. */
async function lastCompleted(
  engine: Engine,
  cluster: string,
  latest: DescribedRun | undefined,
): Promise<Completed | undefined> {
  if (latest === undefined) return undefined;
  const { operation: latestOne = 'install' } = latest;
  if (latest.status === 'completed' && OPERATIONS[latestOne].applies) return { ...latest, operation: latestOne };
  const workflowId = workflowIdOf(cluster);
  const { executions } = await engine.client.workflowService.listWorkflowExecutions({
    namespace: engine.settings.namespace,
    query: `WorkflowId = '${workflowId}' AND ExecutionStatus = 'Completed' AND WorkflowType IN (${APPLYING})`,
    pageSize: 1,
  });
  const [run] = executions ?? [];
  const runId = run?.execution?.runId;
  if (!run || !runId) return undefined;
  const handle = engine.client.workflow.getHandle(workflowId, runId, { followRuns: false });
  const result = (await handle.result()) as RunResult;
  return {
    workflowId,
    runId,
    closedAt: milliseconds(run.closeTime),
    result,
    operation: operationOf(run.type?.name ?? '') ?? 'install',
  };
}
