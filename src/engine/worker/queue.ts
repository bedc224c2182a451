import { WorkflowNotFoundError } from '@temporalio/client';
import { type Engine, workflowIdOf } from '../types.js';

/** temporal.api.enums.v1.TaskQueueType of steps. */
const ACTIVITY = 2;
/** A worker asks anew after a minute at the latest, and the server notes when. */
const LATELY_MS = 90_000;

/**
 * The task queue of a worker that a command brings: one cluster's alone. Such a worker has the keys and passwords of the
 * terminal that started it, so it must get no step of another cluster; and a team's worker must not be helped by a laptop.
 */
export function ownQueue({ taskQueue }: Pick<Engine, 'taskQueue'>, cluster: string): string {
  return `${taskQueue}/${workflowIdOf(cluster)}`;
}

/** The queue of a cluster's running install, which is that of its start; undefined when none runs. */
export async function queueOfRun({ client }: Engine, cluster: string): Promise<string | undefined> {
  try {
    const run = await client.workflow.getHandle(workflowIdOf(cluster)).describe();
    return run.status.name === 'RUNNING' || run.status.name === 'PAUSED' ? run.taskQueue : undefined;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  }
}

/** Whether a worker has asked for steps of this queue lately. A server that does not say is no reason to think that none has. */
export async function isPolled({ client, settings }: Engine, queue: string): Promise<'yes' | 'no' | 'unknown'> {
  try {
    const { pollers } = await client.workflowService.describeTaskQueue({
      namespace: settings.namespace,
      taskQueue: { name: queue },
      taskQueueType: ACTIVITY,
    });
    const asked = (pollers ?? []).map(({ lastAccessTime }) => Number(lastAccessTime?.seconds ?? 0) * 1000);
    return asked.some((time) => Date.now() - time < LATELY_MS) ? 'yes' : 'no';
  } catch {
    return 'unknown';
  }
}
