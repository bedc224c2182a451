import { setTimeout as sleep } from 'node:timers/promises';
import { isGrpcServiceError, WorkflowNotFoundError } from '@temporalio/client';
import { KubewrightError } from '../../errors.js';
import { type Engine, type RunSnapshot, workflowIdOf } from '../types.js';
import { addressesIn, readInput } from './history.js';
import { type Remembered, takeSnapshot } from './snapshot.js';

/** A snapshot, and what is needed to compare what was said of several hosts. */
export interface DescribedRun extends RunSnapshot {
  /** Addresses of the hosts, by their names. Absent where fewer than two steps are in trouble. */
  addresses?: Record<string, string>;
}

/** How a run is watched. */
export interface WatchOptions {
  /** Time between two looks, in milliseconds; default 500. Longer where a look takes long, as at a thousand hosts. */
  intervalMs?: number;
  signal?: AbortSignal;
  /** Called when the server does not answer, with how often in a row, and with 0 when it answers again. */
  onUnreachable?: (failures: number) => void;
}

const SLOWEST_RETRY_MS = 2_000;
/** The client tries on by itself for a minute while a server is away; whoever watches should hear of it sooner. */
const LOOK_LIMIT_MS = 8_000;
/** What a look may take longer for each group that is asked, too: a busy worker is no server that is away. */
const LIMIT_OF_GROUP_MS = 1_000;
/** Looks cost the worker that answers them and who draws them: the pause is so many times as long as the last look took. */
const PAUSE_FOR_LOOK = 3;
/** However long a look took. */
const LONGEST_PAUSE_MS = 10_000;
/** A Reset ends the old run a moment before the new one is found under the id. */
const RESET_LOOKS = 3;

/**
 * Follows a cluster's install: one snapshot at each look, the last one with how it ended. It asks for the workflow's
 * id, not for a run, so it goes on with the new run after a Reset; it survives restarts of the server (and starts the
 * embedded one again when that has died), and goes on while no worker runs.
 *
 * @throws KubewrightError KW523 when there is no install of this cluster
 */
export async function* watchRun(
  engine: Engine,
  cluster: string,
  options: WatchOptions = {},
): AsyncGenerator<DescribedRun, void> {
  const look = observer(engine, cluster, options);
  let closedLooks = 0;
  while (!options.signal?.aborted) {
    const began = performance.now();
    const snapshot = await look();
    const took = performance.now() - began;
    if (snapshot !== undefined) {
      closedLooks = snapshot.status === 'running' ? 0 : closedLooks + 1;
      // Only an end by Reset looks like a termination; a run that ended by itself stays the last one.
      if (closedLooks > 0 && (snapshot.status !== 'terminated' || closedLooks >= RESET_LOOKS)) {
        yield snapshot;
        return;
      }
      if (closedLooks === 0) yield snapshot;
    }
    const next = Math.max(options.intervalMs ?? 500, Math.min(PAUSE_FOR_LOOK * took, LONGEST_PAUSE_MS));
    await pause(next, options.signal);
  }
}

/**
 * One snapshot of a cluster's latest install.
 *
 * @throws KubewrightError KW523 when there is none
 */
export async function describeRun(engine: Engine, cluster: string): Promise<DescribedRun> {
  try {
    const { snapshot, memory } = await takeSnapshot(engine, workflowIdOf(cluster));
    return { ...snapshot, addresses: memory.groups?.addresses ?? (await addressesFor(engine, snapshot)) };
  } catch (error) {
    throw notFound(error, cluster) ?? error;
  }
}

/** Read only where it is of use, for all that a run was started with has to be read. */
async function addressesFor(engine: Engine, snapshot: RunSnapshot): Promise<DescribedRun['addresses']> {
  const { progress, workflowId, runId } = snapshot;
  const failed = progress.steps.filter((step) => step.failed !== undefined).length;
  if (progress.blocked.length < 2 && failed < 2) return undefined;
  return addressesIn(await readInput(engine, workflowId, runId));
}

/** A function that looks once; undefined when the server did not answer, after a pause that grows. */
function observer(engine: Engine, cluster: string, options: WatchOptions): () => Promise<DescribedRun | undefined> {
  let memory: Remembered | undefined;
  let addresses: DescribedRun['addresses'];
  let failures = 0;
  return async () => {
    try {
      // Nearly always one look into /proc: it saves waiting for an answer that cannot come.
      await engine.server?.revive();
      const look = async () => {
        const taken = await takeSnapshot(engine, workflowIdOf(cluster), memory);
        // A Reset makes another run of the same hosts.
        addresses ??= taken.memory.groups?.addresses ?? (await addressesFor(engine, taken.snapshot));
        return taken;
      };
      const limit = LOOK_LIMIT_MS + LIMIT_OF_GROUP_MS * (memory?.progress.groups?.length ?? 0);
      const taken = await engine.client.connection.withDeadline(Date.now() + limit, look);
      memory = taken.memory;
      if (failures > 0) options.onUnreachable?.(0);
      failures = 0;
      return { ...taken.snapshot, addresses };
    } catch (error) {
      const missing = notFound(error, cluster);
      if (missing !== undefined) throw missing;
      if (!isServerTrouble(error)) throw error;
      failures += 1;
      options.onUnreachable?.(failures);
      await pause(Math.min(SLOWEST_RETRY_MS, 250 * failures), options.signal);
      return undefined;
    }
  };
}

function notFound(error: unknown, cluster: string): KubewrightError | undefined {
  if (!(error instanceof WorkflowNotFoundError)) return undefined;
  // No cluster has such a name (metadata.name is a DNS label), and other commands do take a file.
  const isFile = /\/|\.ya?ml$/.test(cluster);
  return new KubewrightError('KW523', `There is no install of cluster ${cluster}`, {
    hint: isFile
      ? 'Give the name of the cluster, which stands in the file under metadata.name; `kubewright status` lists the installs there are.'
      : 'Start one with `kubewright install cluster.yaml`; `kubewright status` lists those there are.',
  });
}

/** gRPC errors come bare or as the cause of the client's own; anything else is a defect and must be seen. */
export function isServerTrouble(error: unknown): boolean {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    if (isGrpcServiceError(at)) return true;
  }
  return false;
}

async function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  await sleep(milliseconds, undefined, { signal }).catch(() => {});
}
