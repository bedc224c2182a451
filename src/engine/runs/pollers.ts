import { hostname } from 'node:os';
import type { Engine } from '../types.js';
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
    const { pollers } = await engine.client.workflowService.describeTaskQueue({
      namespace: engine.settings.namespace,
      taskQueue: { name: taskQueue },
      taskQueueType: WORKFLOW_QUEUE,
    });
    const lately = (pollers ?? []).filter((poller) => Date.now() - milliseconds(poller.lastAccessTime) < POLL_MS);
    return lately.some((poller) => !hasEnded(poller.identity ?? ''));
  } catch {
    // Who may not ask may still be answered.
    return true;
  }
}

/** Workers call themselves `pid@machine`. */
function hasEnded(identity: string): boolean {
  const [, pid, machine] = /^(\d+)@(.+)$/.exec(identity) ?? [];
  if (pid === undefined || machine !== hostname()) return false;
  try {
    process.kill(Number(pid), 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}
