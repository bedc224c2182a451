import type { temporal } from '@temporalio/proto';
import { attributeOf } from '../runs/history-fold.js';
import { livingBuilds } from '../runs/pollers.js';
import { openOn } from '../types.js';
import { type Asked, currentBuild, deploymentOf, grpcCode, NOT_FOUND, type WorkerVersion } from './deployment.js';

type Info = temporal.api.workflow.v1.IWorkflowExecutionInfo;
type Execution = { workflowId: string; runId?: string };

/** temporal.api.enums.v1.VersioningBehavior and the override's own, of what stays with its version. */
const PINNED = 1;

/** Build that a run is pinned to; undefined for one that goes on with the current version, or on a server without versions. */
export function pinnedBuild(info: Info | null | undefined): string | undefined {
  const { versioningInfo } = info ?? {};
  const override = versioningInfo?.versioningOverride?.pinned?.version?.buildId;
  if (override) return override;
  return versioningInfo?.behavior === PINNED ? (versioningInfo.deploymentVersion?.buildId ?? undefined) : undefined;
}

/**
 * Takes over the runs of a queue whose version has no worker any more, where this version carries out their plans. A build
 * that is gone for good would leave them without anybody; one that comes back finds them in good hands.
 *
 * @param carriesOut whether this version knows the format of a run's plan
 * @returns ids of the workflows that were taken over, groups of runs among them
 */
export async function takeOverAbandoned(
  asked: Asked,
  taskQueue: string,
  version: WorkerVersion,
  carriesOut: (run: Info) => Promise<boolean>,
): Promise<string[]> {
  const others = await pinnedToOthers(asked, taskQueue, version);
  if (others.length === 0) return [];
  const living = await livingBuilds(asked, taskQueue);
  const taken: string[] = [];
  for (const { run, build } of others) {
    const { workflowId, runId } = run.execution ?? {};
    if (living.includes(build) || !workflowId || !(await carriesOut(run))) continue;
    await pin(asked, { workflowId, runId: runId ?? undefined }, version);
    taken.push(workflowId);
  }
  return taken;
}

/** Runs that are open on a queue and pinned to another build of this deployment. */
async function pinnedToOthers(
  { workflowService, namespace }: Asked,
  taskQueue: string,
  { deploymentName, buildId }: WorkerVersion,
): Promise<{ run: Info; build: string }[]> {
  const query = [
    openOn(taskQueue),
    "TemporalWorkflowVersioningBehavior = 'Pinned'",
    `TemporalWorkerDeploymentVersion != '${deploymentName}:${buildId}'`,
  ].join(' AND ');
  const { executions } = await workflowService.listWorkflowExecutions({ namespace, query, pageSize: 200 });
  return (executions ?? []).flatMap((run) => {
    const build = buildInAttribute(run, deploymentName);
    return build === undefined ? [] : [{ run, build }];
  });
}

/** A list does not tell a run's version but in its attributes, as `DEPLOYMENT:BUILD`. */
function buildInAttribute({ searchAttributes }: Info, deploymentName: string): string | undefined {
  const version = attributeOf(searchAttributes?.indexedFields?.TemporalWorkerDeploymentVersion);
  const start = `${deploymentName}:`;
  return typeof version === 'string' && version.startsWith(start) ? version.slice(start.length) : undefined;
}

/**
 * Gives a run, and its groups, whose version has no worker any more to the queue's current version, whatever format it was
 * planned in: for what every version carries out, such as an abort. Without a current version, or a worker of it, nothing is done.
 */
export async function handOver(asked: Asked, info: Info | null | undefined, groups: Execution[]): Promise<void> {
  const [build, taskQueue] = [pinnedBuild(info), info?.taskQueue];
  const { workflowId, runId } = info?.execution ?? {};
  if (build === undefined || !taskQueue || !workflowId) return;
  const deploymentName = deploymentOf(taskQueue);
  const buildId = await currentBuild(asked, deploymentName);
  const living = await livingBuilds(asked, taskQueue);
  if (buildId === undefined || living.includes(build) || !living.includes(buildId)) return;
  for (const each of [{ workflowId, runId: runId ?? undefined }, ...groups])
    await pin(asked, each, { deploymentName, buildId });
}

/** One that ends meanwhile needs nobody. */
async function pin(
  { workflowService, namespace }: Asked,
  workflowExecution: Execution,
  version: WorkerVersion,
): Promise<void> {
  try {
    await workflowService.updateWorkflowExecutionOptions({
      namespace,
      workflowExecution,
      workflowExecutionOptions: { versioningOverride: { pinned: { behavior: PINNED, version } } },
      updateMask: { paths: ['versioning_override'] },
    });
  } catch (error) {
    if (grpcCode(error) !== NOT_FOUND) throw error;
  }
}
