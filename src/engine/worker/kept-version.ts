import { setTimeout as sleep } from 'node:timers/promises';
import type { LoadedDataConverter } from '@temporalio/common';
import { decodeMapFromPayloads } from '@temporalio/common/lib/internal-non-workflow/index.js';
import type { temporal } from '@temporalio/proto';
import type { WorkerDeploymentOptions } from '@temporalio/worker';
import { BUILD } from '../../build.js';
import { PLAN_FORMAT } from '../../plan/run.js';
import { becomeCurrent, replaceAbandoned } from '../versions/current.js';
import { type Asked, deploymentOf, knowsVersions, type WorkerVersion } from '../versions/deployment.js';
import { takeOverAbandoned } from '../versions/pinned.js';

/** How often it looks whether the queue has a current version, and whether runs were left without a worker. */
const LOOK_MS = 30_000;

export interface VersionedWorker extends Asked {
  taskQueue: string;
  /** Reads the memos of runs. */
  converter: LoadedDataConverter;
  /** Build that the worker is of; this one unless given. */
  build?: string;
  /** Told, one sentence each, what was taken over and what could not be looked at. */
  log: (line: string) => void;
  /** Time between two looks, in milliseconds; default 30 000. */
  lookMs?: number;
}

/** The version that a worker is for its server, and what it does about it while it works. */
export class KeptVersion {
  private constructor(
    private readonly worker: VersionedWorker,
    private readonly version: WorkerVersion,
  ) {}

  /** @returns undefined on a server that knows no versions, or lets nobody use them: the worker is one for all runs there */
  static async of(worker: VersionedWorker): Promise<KeptVersion | undefined> {
    const deploymentName = deploymentOf(worker.taskQueue);
    if (!(await knowsVersions(worker, deploymentName))) return undefined;
    return new KeptVersion(worker, { deploymentName, buildId: worker.build ?? BUILD });
  }

  /** What the SDK is to say of the worker. */
  get options(): WorkerDeploymentOptions {
    // Every workflow says itself what it is; this is for one that was forgotten.
    return { useWorkerVersioning: true, version: this.version, defaultVersioningBehavior: 'PINNED' };
  }

  /**
   * Has the queue's new runs come to this version, then keeps watch until `signal`: over a queue whose current version nobody
   * runs any more, and over runs whose version nobody runs any more.
   *
   * @param onCurrent called when new runs come here, or to a newer version
   * @throws KubewrightError KW581 when the server does not take the version
   */
  async keep(signal: AbortSignal, onCurrent: () => void): Promise<void> {
    const { worker, version } = this;
    await becomeCurrent(worker, worker.taskQueue, version, signal);
    if (!signal.aborted) onCurrent();
    while (!signal.aborted) {
      await this.look().catch((error: unknown) => worker.log(`The queue's versions could not be looked at: ${error}`));
      await sleep(worker.lookMs ?? LOOK_MS, undefined, { signal }).catch(() => {});
    }
  }

  private async look(): Promise<void> {
    const { worker, version } = this;
    await replaceAbandoned(worker, worker.taskQueue, version);
    const taken = await takeOverAbandoned(worker, worker.taskQueue, version, (run) => this.carriesOut(run));
    for (const id of taken) worker.log(`Taken over, for no worker of its own version is left: ${id}`);
  }

  /** Runs of 0.1.0 have no format in their memo, and are in the first. What cannot be read is left alone, and no other run with it. */
  private async carriesOut({ memo }: temporal.api.workflow.v1.IWorkflowExecutionInfo): Promise<boolean> {
    try {
      const { format = 1 } = (await decodeMapFromPayloads(this.worker.converter, memo?.fields)) ?? {};
      return format === PLAN_FORMAT;
    } catch {
      // It was encrypted with a key that this worker has not.
      return false;
    }
  }
}
