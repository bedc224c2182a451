import type { NativeConnection, Worker } from '@temporalio/worker';
import type { EmbeddedServer } from '../embedded-server.js';
import type { KeptSchedules } from '../schedule-care/kept-schedules.js';
import { isOurSchedule } from '../schedule-keys.js';
import { stateDirectory } from '../state-directory.js';
import { type ConnectionSettings, openOn, taskQueueOf } from '../types.js';
import type { KeptVersion } from './kept-version.js';
import { workerRecords } from './record.js';
import { untilUnused } from './unused.js';
import { watchServer } from './watchdog.js';

/** What a worker serves. */
export interface Served {
  connection: NativeConnection;
  settings: ConnectionSettings;
  server: EmbeddedServer | undefined;
  version: KeptVersion | undefined;
  schedules: Pick<KeptSchedules, 'keep'>;
}

/** When a worker ends; see `WorkerRunOptions`. */
export interface ServeOptions {
  env?: NodeJS.ProcessEnv;
  stateDir?: string;
  signal?: AbortSignal;
  onReady?: () => void;
  serverGoneAfterMs?: number;
  background?: { record: string; lookMs?: number; idleMs?: number };
}

/**
 * Runs a worker until it is told to end, its server is gone for good, its version is not taken, or (in the background) nobody
 * uses it any more; and drains it.
 *
 * @throws KubewrightError KW513, KW516, KW518 of the server, KW581 of the version
 */
export async function serve(
  worker: Pick<Worker, 'getState' | 'shutdown' | 'run'>,
  served: Served,
  options: ServeOptions,
): Promise<void> {
  const ended = new AbortController();
  const drain = (): void => {
    if (worker.getState() === 'RUNNING') worker.shutdown();
  };
  options.signal?.addEventListener('abort', drain, { once: true });
  try {
    const running = worker.run();
    if (options.signal?.aborted) drain();
    const watching = watch(served, options, ended.signal, drain);
    // It is awaited below, unless the worker itself fails: that fault is the one to tell.
    watching.catch(() => undefined);
    // The connection is closed behind this: it must have drained by then, whatever made it end.
    await running.finally(() => ended.abort());
    await watching;
  } finally {
    ended.abort();
    options.signal?.removeEventListener('abort', drain);
  }
}

/** All that may have a worker end, each of which drains it. Ends with `signal`. @throws the first reason to end that is a fault */
async function watch(
  { connection, settings, server, version, schedules }: Served,
  options: ServeOptions,
  signal: AbortSignal,
  drain: () => void,
): Promise<void> {
  const faults: unknown[] = [];
  const orDrain = (watching: Promise<void>): Promise<void> =>
    watching.catch((error: unknown) => {
      faults.push(error);
      drain();
    });
  const goneAfterMs = options.serverGoneAfterMs ?? 10 * 60_000;
  const ready = readiness(options.onReady, signal);
  if (version === undefined) ready.now();
  await Promise.all([
    orDrain(watchServer({ connection, address: settings.address, server, goneAfterMs, signal })),
    version && orDrain(version.keep(signal, ready.now)),
    // Silence counts from when this worker takes work.
    ready.come.then(() => schedules.keep(signal)),
    // Its starter writes its record when it is ready; before that it would find none, and leave.
    options.background && ready.come.then(() => untilNobodyUsesIt(connection, settings, options, signal)).then(drain),
  ]);
  if (faults.length > 0) throw faults[0];
}

/** Tells that new work comes here; `come` resolves with that, or with the end. */
function readiness(onReady: (() => void) | undefined, signal: AbortSignal): { now: () => void; come: Promise<void> } {
  let now = (): void => {};
  const come = new Promise<void>((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
    now = () => {
      onReady?.();
      resolve();
    };
  });
  return { now, come };
}

/** Resolves when a worker in the background should end, or has. */
async function untilNobodyUsesIt(
  connection: NativeConnection,
  { namespace }: ConnectionSettings,
  { background, stateDir, env = process.env }: ServeOptions,
  signal: AbortSignal,
): Promise<void> {
  const query = openOn(taskQueueOf(env));
  const openRuns = async (): Promise<number> => {
    const { workflowService } = connection;
    const { count } = await workflowService.countWorkflowExecutions({ namespace, query });
    // Between two health checks or drills nothing runs; the next one needs a worker all the same.
    const { schedules } = await workflowService.listSchedules({ namespace, maximumPageSize: 100 });
    return Number(count) + (schedules ?? []).filter(({ scheduleId }) => isOurSchedule(scheduleId ?? '')).length;
  };
  const { record = '', lookMs, idleMs } = background ?? {};
  const records = workerRecords(stateDir ?? stateDirectory(env), record);
  await untilUnused({ records, openRuns, lookMs, idleMs, signal });
}
