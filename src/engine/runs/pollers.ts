import { hostname } from 'node:os';
import type { Engine } from '../types.js';
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
 */
export async function mayBeAnswered(engine: Engine, taskQueue: string): Promise<boolean> {
  try {
    return (await livingWorkers(engine, taskQueue)).length > 0;
  } catch {
    // Who may not ask may still be answered.
    return true;
  }
}

/** Builds of the workers that have asked the queue for work lately; empty where none has, undefined where nobody says. */
export async function buildsOn(engine: Engine, taskQueue: string): Promise<string[] | undefined> {
  try {
    const workers = await livingWorkers(engine, taskQueue);
    return [...new Set(workers.map((identity) => readIdentity(identity).build ?? '0.1.0 or another program'))].sort();
  } catch {
    return undefined;
  }
}

/** Identities of those that have asked for work lately and have not been seen to end. */
async function livingWorkers(engine: Engine, taskQueue: string): Promise<string[]> {
  const { pollers } = await engine.client.workflowService.describeTaskQueue({
    namespace: engine.settings.namespace,
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
