import { setTimeout as sleep } from 'node:timers/promises';
import { versionOf } from '../../build.js';
import { compareVersions } from '../../compare-versions.js';
import { KubewrightError, messageOf } from '../../errors.js';
import { livingBuilds } from '../runs/pollers.js';
import {
  type Asked,
  currentBuild,
  FAILED_PRECONDITION,
  grpcCode,
  NOT_FOUND,
  type WorkerVersion,
} from './deployment.js';

/** The server notes a new version within a second or two of its first question for work. */
const REGISTRATION_LIMIT_MS = 30_000;
const PAUSE_MS = 100;
/** gRPC: DEADLINE_EXCEEDED and UNAVAILABLE. */
const UNANSWERED = [4, 14];

/**
 * Has new runs of this queue carried out by this version, from its start on. Left as it is where a newer version is current
 * and works: during an update the old workers may be started again, and must not take new runs back.
 *
 * @throws KubewrightError KW581 when the server does not take the version
 */
export async function becomeCurrent(
  asked: Asked,
  taskQueue: string,
  version: WorkerVersion,
  signal: AbortSignal,
): Promise<void> {
  await answered(version, signal, async () => {
    const present = await currentBuild(asked, version.deploymentName);
    if (present === version.buildId) return;
    if (present !== undefined && isNewer(present, version.buildId) && (await works(asked, taskQueue, present))) return;
    await setCurrent(asked, version);
  });
}

/**
 * Takes the place of a current version that nobody runs any more; else nothing would ever get the queue's new runs, as after
 * a step back to an older version.
 */
export async function replaceAbandoned(asked: Asked, taskQueue: string, version: WorkerVersion): Promise<void> {
  const present = await currentBuild(asked, version.deploymentName);
  if (present === version.buildId || (present !== undefined && (await works(asked, taskQueue, present)))) return;
  await setCurrent(asked, version);
}

function isNewer(a: string, b: string): boolean {
  return compareVersions(versionOf(a), versionOf(b)) > 0;
}

async function works(asked: Asked, taskQueue: string, build: string): Promise<boolean> {
  return (await livingBuilds(asked, taskQueue)).includes(build);
}

/**
 * Tried until the server knows the version, which it learns from the worker's first question for work. A server that is away
 * says nothing about versions: how long it may be is for the worker's watchdog to judge.
 */
async function answered(version: WorkerVersion, signal: AbortSignal, ask: () => Promise<void>): Promise<void> {
  const deadline = Date.now() + REGISTRATION_LIMIT_MS;
  while (!signal.aborted) {
    try {
      return await ask();
    } catch (error) {
      const code = grpcCode(error) ?? 0;
      const isEarly = [NOT_FOUND, FAILED_PRECONDITION].includes(code) && Date.now() <= deadline;
      if (!isEarly && !UNANSWERED.includes(code)) throw notTaken(version, error);
    }
    await sleep(PAUSE_MS, undefined, { signal }).catch(() => {});
  }
}

async function setCurrent({ workflowService, namespace }: Asked, version: WorkerVersion): Promise<void> {
  await workflowService.setWorkerDeploymentCurrentVersion({
    namespace,
    ...version,
    // Where a person has made somebody the deployment's manager, only that one may do this, and the server refuses us.
    identity: 'kubewright',
    // A version before may have worked on the queue of a step that this one does not have.
    ignoreMissingTaskQueues: true,
  });
}

function notTaken({ deploymentName, buildId }: WorkerVersion, cause: unknown): KubewrightError {
  const message = `The server does not make ${buildId} the current version of worker deployment ${deploymentName}: ${messageOf(cause)}`;
  return new KubewrightError('KW581', message, {
    hint:
      "A namespace takes 100 worker deployments, one for each task queue, unless the server's `matching.maxDeployments` says " +
      'otherwise: `temporal worker deployment list` shows them, `temporal worker deployment delete` removes one without workers. ' +
      'Or a person has reserved the deployment (`temporal worker deployment manager-identity`).',
    cause,
  });
}
