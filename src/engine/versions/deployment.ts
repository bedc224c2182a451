import { createHash } from 'node:crypto';
import type { Client } from '@temporalio/client';
import { compareVersions } from '../../compare-versions.js';

/**
 * Temporal's Worker Versioning: the workers of one task queue are a Worker Deployment, their builds its versions. A run that
 * changes a cluster is pinned to the version that took its first task; a check goes on with the current one.
 * https://docs.temporal.io/worker-versioning
 */
export interface WorkerVersion {
  deploymentName: string;
  buildId: string;
}

/** Where Temporal is asked about workers; a client's connection and a worker's both have it. */
export interface Asked {
  workflowService: Client['workflowService'];
  namespace: string;
}

/** First server whose Worker Versioning is for production; what earlier ones call so has other rules. Documentation of Temporal. */
const FIRST_SERVER = '1.29.1';

/** What a server may answer that knows no versions, or is told to have none. gRPC: PERMISSION_DENIED and UNIMPLEMENTED. */
const NO_VERSIONS = [7, 12];

/**
 * The name of a task queue's deployment. One for each queue: which version is current holds for a whole deployment, and a queue
 * on which only a laptop works must not decide that for a team's. The server forbids dots and colons in it, and Temporal's UI
 * has it in the path of a page.
 */
export function deploymentOf(taskQueue: string): string {
  const name = taskQueue.replaceAll('/', '-').replace(/^_+/, '');
  if (/^[A-Za-z0-9_-]{1,200}$/.test(name)) return name;
  const hash = createHash('sha256').update(taskQueue).digest('hex').slice(0, 8);
  return `${name.replace(/[^A-Za-z0-9_-]/g, '-').slice(0, 200)}-${hash}`;
}

/** Whether this server knows versions, and lets us use them. @throws the server's error when it does not answer */
export async function knowsVersions({ workflowService, namespace }: Asked, deploymentName: string): Promise<boolean> {
  const { serverVersion } = await workflowService.getSystemInfo({});
  if (compareVersions(serverVersion, FIRST_SERVER) < 0) return false;
  try {
    await currentBuild({ workflowService, namespace }, deploymentName);
    return true;
  } catch (error) {
    if (NO_VERSIONS.includes(grpcCode(error) ?? 0)) return false;
    throw error;
  }
}

/** Build of the version that gets the deployment's new runs; undefined when there is none, or no such deployment. */
export async function currentBuild(
  { workflowService, namespace }: Asked,
  deploymentName: string,
): Promise<string | undefined> {
  try {
    const { workerDeploymentInfo } = await workflowService.describeWorkerDeployment({ namespace, deploymentName });
    return workerDeploymentInfo?.routingConfig?.currentDeploymentVersion?.buildId ?? undefined;
  } catch (error) {
    if (grpcCode(error) === NOT_FOUND) return undefined;
    throw error;
  }
}

/** gRPC: what is asked about is not there (yet). */
export const NOT_FOUND = 5;
/** gRPC: what is asked for cannot be had as things are. */
export const FAILED_PRECONDITION = 9;

export function grpcCode(error: unknown): number | undefined {
  const { code } = (error ?? {}) as { code?: unknown };
  return typeof code === 'number' ? code : undefined;
}
