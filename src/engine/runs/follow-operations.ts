import { setTimeout as sleep } from 'node:timers/promises';
import { WorkflowNotFoundError } from '@temporalio/client';
import { isKubewrightError } from '../../errors.js';
import { type Engine, workflowIdOf } from '../types.js';
import { closedChecks } from './check-reports.js';
import { readerOf } from './history.js';
import { type DescribedRun, isServerTrouble, type WatchOptions, watchRun } from './watch-run.js';

/** How often it is asked whether another operation has begun, in milliseconds. */
const NEXT_LOOK_MS = 750;
const SLOWEST_RETRY_MS = 5_000;

/**
 * Follows whatever changes a cluster: the operation that runs, or the last one, as `watchRun` does, and then each one that begins.
 * It ends when it is told to.
 *
 * @returns undefined while there is none
 * @throws whatever `watchRun` throws but that there is none
 */
export async function* followOperations(
  engine: Engine,
  cluster: string,
  options: WatchOptions,
): AsyncGenerator<DescribedRun | undefined, void> {
  while (!options.signal?.aborted) {
    let last: DescribedRun | undefined;
    try {
      for await (last of watchRun(engine, cluster, options)) yield last;
    } catch (error) {
      if (!isKubewrightError(error) || error.code !== 'KW523') throw error;
      yield undefined;
    }
    await another(engine, cluster, last?.runId, options);
  }
}

/** Waits until another run has the id. */
async function another(engine: Engine, cluster: string, known: string | undefined, options: WatchOptions) {
  const { signal, onUnreachable } = options;
  let failures = 0;
  while (!signal?.aborted) {
    await sleep(Math.min(SLOWEST_RETRY_MS, NEXT_LOOK_MS * (failures + 1)), undefined, { signal }).catch(() => {});
    if (signal?.aborted) return;
    try {
      await engine.server?.revive();
      const describe = () => engine.client.workflow.getHandle(workflowIdOf(cluster)).describe();
      const { runId } = await engine.client.connection.withDeadline(Date.now() + SLOWEST_RETRY_MS, describe);
      if (failures > 0) onUnreachable?.(0);
      if (runId !== known) return;
      failures = 0;
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) {
        // None is there yet; or the retention of the last one is over.
        if (known === undefined) continue;
        return;
      }
      if (!isServerTrouble(error)) throw error;
      failures += 1;
      onUnreachable?.(failures);
    }
  }
}

/** Names the check of a cluster that ended last: one question, cheap enough to be asked every second. Undefined where there is none. */
export async function latestCheckId(engine: Engine, cluster: string): Promise<string | undefined> {
  for await (const { workflowId, runId } of closedChecks(readerOf(engine), cluster, { pageSize: 1 })) {
    return `${workflowId} ${runId}`;
  }
  return undefined;
}
