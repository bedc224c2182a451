import { hostname } from 'node:os';
import type { Engine } from '../types.js';
import type { Asked } from '../versions/deployment.js';
import { readIdentity } from '../worker/identity.js';
import { milliseconds } from './history-fold.js';

/** temporal.api.enums.v1.TaskQueueType of what runs workflows. */
const WORKFLOW_QUEUE = 1;
/** A worker asks for a task and waits a minute for the answer; only then it asks again. */
const POLL_MS = 75_000;

/**
 * Whether a worker may answer: one that has asked the queue for work lately. Without one a query is not sent at all,
 * for it would only be waited for. The server remembers workers for minutes; whether one of this machine has ended can
 * be seen at once.
 *
 * @param build the only one whose workers get what is asked; default any
 */
export async function mayBeAnswered(engine: Engine, taskQueue: string, build?: string): Promise<boolean> {
  try {
    const workers = await livingWorkers(askedBy(engine), taskQueue);
    return workers.some((identity) => build === undefined || buildIn(identity) === build);
  } catch {
    // Who may not ask may still be answered.
    return true;
  }
}

/** Builds of the workers that have asked the queue for work lately; empty where none has, undefined where nobody says. */
export async function buildsOn(engine: Engine, taskQueue: string): Promise<string[] | undefined> {
  try {
    return await livingBuilds(askedBy(engine), taskQueue);
  } catch {
    return undefined;
  }
}

/** As `buildsOn`. @throws the server's error when it does not say */
export async function livingBuilds(asked: Asked, taskQueue: string): Promise<string[]> {
  return [...new Set((await livingWorkers(asked, taskQueue)).map(buildIn))].sort();
}

export function askedBy({ client, settings }: Engine): Asked {
  return { workflowService: client.workflowService, namespace: settings.namespace };
}

function buildIn(identity: string): string {
  return readIdentity(identity).build ?? '0.1.0 or another program';
}

/** Identities of those that have asked for work lately and have not been seen to end. */
async function livingWorkers({ workflowService, namespace }: Asked, taskQueue: string): Promise<string[]> {
  const { pollers } = await workflowService.describeTaskQueue({
    namespace,
    taskQueue: { name: taskQueue },
    taskQueueType: WORKFLOW_QUEUE,
  });
  const lately = (pollers ?? []).filter((poller) => Date.now() - milliseconds(poller.lastAccessTime) < POLL_MS);
  return lately.map(({ identity }) => identity ?? '').filter((identity) => !hasEnded(identity));
}

function hasEnded(identity: string): boolean {
  const { pid, machine } = readIdentity(identity);
  if (pid === undefined || machine !== hostname()) return false;
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}
