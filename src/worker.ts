import { hostname, userInfo } from 'node:os';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { loadDataConverter } from '@temporalio/common/lib/internal-non-workflow/index.js';
import { NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { dataConverterFrom, WITHOUT_KEY } from './engine/codec/payload-codec.js';
import { connectionError, requireNamespace } from './engine/connection-errors.js';
import { attachServer } from './engine/embedded-server.js';
import { readBackground } from './engine/runs/check-background.js';
import { readRun } from './engine/runs/history.js';
import { KeptSchedules } from './engine/schedule-care/kept-schedules.js';
import { embeddedSettings, resolveSettings } from './engine/settings.js';
import { stateDirectory } from './engine/state-directory.js';
import { type ConnectionSettings, taskQueueOf } from './engine/types.js';
import { type WorkflowSource, workflowSource } from './engine/worker/bundle.js';
import { healthSinks } from './engine/worker/health-metrics.js';
import { workerIdentity } from './engine/worker/identity.js';
import { KeptVersion } from './engine/worker/kept-version.js';
import { workerLog } from './engine/worker/log.js';
import { type OwnMetrics, ownMetrics } from './engine/worker/metrics.js';
import { serve } from './engine/worker/serve.js';
import { runTogether, stopWorkerOf } from './engine/worker/stop-worker.js';
import { metricsError, telemetryOptions } from './engine/worker/telemetry.js';
import { isKubewrightError, messageOf } from './errors.js';
import type { RunReference } from './plan/run.js';

/** How a worker runs that a program has for itself. */
export interface RunWorkerOptions {
  /** The worker's environment: how Temporal is reached, the payload key, and what its steps look up there. */
  env?: NodeJS.ProcessEnv;
  /** State directory of the embedded server, used where the environment names no server. */
  stateDir?: string;
  /** Drains the worker and ends: steps let go of their hosts, where what they started runs on. */
  signal?: AbortSignal;
  /** Called when it knows which server it works for, before it asks it. */
  onServer?: (settings: ConnectionSettings) => void;
  /** Called when it takes work. */
  onReady?: () => void;
}

export interface WorkerRunOptions extends RunWorkerOptions {
  /** How long the server may be away before it counts as gone for good, in milliseconds; default ten minutes. */
  serverGoneAfterMs?: number;
  /** Set for one in the background: it leaves by itself when nobody uses it any more. */
  background?: { record: string; lookMs?: number; idleMs?: number };
  /** What carries out the steps, by activity type; the real ones unless given. */
  activities?: object;
  /** Bundle of the workflows; the one that the build made unless given. */
  workflowBundle?: string;
  /** Build that it works as, with those activities and that bundle; this one unless given. */
  build?: string;
  /** Whether it takes over scheduled checks whose own worker is gone; default false. */
  adoptsSchedules?: boolean;
  /** Time between two looks at the versions on its queue, in milliseconds; default 30 000. */
  versionLookMs?: number;
}

/** Steps wait for their hosts nearly all the time: a worker of one core carries out that many, as `npm run bench:scale` shows. */
const STEPS_AT_ONCE = 400;

/** A heartbeat a second at most, so that a cancellation and the last line of output arrive within one. */
const HEARTBEAT_THROTTLE = '1 second';

/**
 * Runs a worker until `signal` or SIGTERM/SIGINT, and drains it then.
 *
 * @throws KubewrightError KW502 no server answers, KW503 no such namespace, KW513 the server is gone for good
 */
export async function runWorker(options: WorkerRunOptions = {}): Promise<void> {
  const env = options.env ?? process.env;
  const remote = resolveSettings({ env });
  const stateDir = options.stateDir ?? stateDirectory(env);
  const server = remote === undefined ? await attachServer({ stateDir, env }) : undefined;
  const settings = remote ?? embeddedSettings(server?.address ?? '');
  options.onServer?.(settings);
  let own: OwnActivities | undefined;
  const metrics = ownMetrics(Runtime.instance().metricMeter);
  try {
    const connection = await openNativeConnection(settings);
    try {
      const namespaceId = await requireNamespace(connection, settings);
      // Steps keep backups there, and are told by the environment alone.
      const told = { ...env, KUBEWRIGHT_STATE: stateDir };
      if (options.activities === undefined) own = await ownActivities(told, connection, settings, namespaceId);
      const activities = options.activities ?? own?.activities;
      const version = await keptVersion(connection, settings, env, options);
      const worker = await createWorker(connection, settings, env, { ...options, activities, metrics, version });
      const stopper = await stopWorkerOf(worker, { connection, activities });
      const schedules = await keptSchedules(connection, settings, env, options);
      await serve(runTogether(worker, stopper), { connection, settings, server, version, schedules }, options);
    } finally {
      await connection.close();
    }
  } finally {
    metrics?.stop();
    await own?.close();
    await server?.leave();
  }
}

interface OwnActivities {
  activities: object;
  close(): Promise<void>;
}

/** Imported only here: a caller that brings its own activities needs no SSH. */
async function ownActivities(
  env: NodeJS.ProcessEnv,
  { workflowService, operatorService }: NativeConnection,
  { address, namespace }: ConnectionSettings,
  namespaceId: string,
): Promise<OwnActivities> {
  const { createActivities } = await import('./activities/index.js');
  const converter = loadDataConverter((await dataConverterFrom(env)) ?? WITHOUT_KEY);
  const reader = { workflowService, operatorService, namespace, converter };
  const read = (root: RunReference) => readRun(reader, root);
  const { close, ...activities } = createActivities({
    env,
    homeDirectory: env.HOME ?? '/',
    readRun: read,
    readBackground: (cluster, depth) => readBackground(reader, cluster, depth),
    temporal: { namespaceId, temporal: `${address}, namespace ${namespace}`, by: whoRuns(env) },
  });
  return { activities, close };
}

/** In a container the user may have no name. */
function whoRuns({ USER }: NodeJS.ProcessEnv): string {
  try {
    return `${userInfo().username}@${hostname()}`;
  } catch {
    return `${USER ?? 'a worker'}@${hostname()}`;
  }
}

async function openNativeConnection(settings: ConnectionSettings): Promise<NativeConnection> {
  const { address, tls, apiKey, metadata } = settings;
  const began = Date.now();
  try {
    return await NativeConnection.connect({ address, tls, apiKey, metadata });
  } catch (cause) {
    throw connectionError(cause, settings, Date.now() - began);
  }
}

async function keptVersion(
  { workflowService }: NativeConnection,
  { namespace }: ConnectionSettings,
  env: NodeJS.ProcessEnv,
  { build, versionLookMs }: WorkerRunOptions,
): Promise<KeptVersion | undefined> {
  return KeptVersion.of({
    workflowService,
    namespace,
    taskQueue: taskQueueOf(env),
    converter: loadDataConverter((await dataConverterFrom(env)) ?? WITHOUT_KEY),
    build,
    log: (line) => Runtime.instance().logger.info(line),
    lookMs: versionLookMs,
  });
}

async function keptSchedules(
  { workflowService }: NativeConnection,
  { namespace }: ConnectionSettings,
  env: NodeJS.ProcessEnv,
  { build, adoptsSchedules = false }: WorkerRunOptions,
): Promise<KeptSchedules> {
  return new KeptSchedules({
    workflowService,
    namespace,
    identity: workerIdentity(build),
    taskQueue: taskQueueOf(env),
    converter: loadDataConverter((await dataConverterFrom(env)) ?? WITHOUT_KEY),
    adopts: adoptsSchedules,
    log: (line) => Runtime.instance().logger.info(line),
  });
}

interface Kept {
  metrics: OwnMetrics | undefined;
  version: KeptVersion | undefined;
}

async function createWorker(
  connection: NativeConnection,
  settings: ConnectionSettings,
  env: NodeJS.ProcessEnv,
  { activities, workflowBundle, metrics, version, build }: WorkerRunOptions & Kept,
): Promise<Worker> {
  const dataConverter = await dataConverterFrom(env);
  const workflows: WorkflowSource =
    workflowBundle === undefined
      ? workflowSource(dataConverter !== undefined)
      : { workflowBundle: { codePath: workflowBundle } };
  return Worker.create({
    connection,
    namespace: settings.namespace,
    identity: workerIdentity(build),
    taskQueue: taskQueueOf(env),
    workerDeploymentOptions: version?.options,
    ...workflows,
    dataConverter: dataConverter ?? WITHOUT_KEY,
    activities,
    sinks: healthSinks(Runtime.instance().metricMeter),
    interceptors: { ...workflows.interceptors, activity: metrics && [metrics.interceptor] },
    maxConcurrentActivityTaskExecutions: STEPS_AT_ONCE,
    // Each cached workflow keeps its steps in memory. A run of a thousand hosts is one with twenty-five groups.
    maxCachedWorkflows: 100,
    // A killed worker's own queue is given up after this, so that the next worker goes on soon. A busy worker may need
    // seconds for its turn, and each task that it does not take in time is carried out anew from the first event.
    stickyQueueScheduleToStartTimeout: '5 seconds',
    maxHeartbeatThrottleInterval: HEARTBEAT_THROTTLE,
    defaultHeartbeatThrottleInterval: HEARTBEAT_THROTTLE,
    // Short, because cancelling a step only lets go of its host; what it started there runs on and is found again.
    shutdownGraceTime: '1 second',
    shutdownForceTime: '15 seconds',
  });
}

/**
 * Has the SDK log to stderr, one line an entry, and serve metrics where `KUBEWRIGHT_METRICS` says so. Once a process, before its
 * first worker.
 *
 * @throws KubewrightError KW551 when that is no address, KW580 when nothing can be served there
 */
export function installRuntime(env: NodeJS.ProcessEnv): void {
  const options = { logger: workerLog(), telemetryOptions: telemetryOptions(env) };
  try {
    Runtime.install(options);
  } catch (error) {
    throw metricsError(error, env);
  }
}

/** Its starter waits for this word. One that was killed meanwhile hears nothing; the worker then leaves by itself. */
function tellStarter(): void {
  process.send?.({ ready: true }, undefined, undefined, () => {});
}

/**
 * Entry of the background worker's own process: `node dist/src/worker.js --state-dir DIR --record NAME`. Without metrics:
 * there may be several on a machine, and a port has one owner.
 */
async function main(): Promise<void> {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({ options: { 'state-dir': text, record: text, build: text } });
  installRuntime({});
  const background = values.record === undefined ? undefined : { record: values.record };
  try {
    await runWorker({ stateDir: values['state-dir'], background, onReady: tellStarter });
  } catch (error) {
    const hint = isKubewrightError(error) && error.hint !== undefined ? `\n${error.hint}` : '';
    const code = isKubewrightError(error) ? `${error.code} ` : '';
    process.stderr.write(`${code}${messageOf(error)}${hint}\n`);
    process.exitCode = 1;
  }
  // Drained: whatever a step left behind (a socket, a timer, the channel to the starter) must not keep the process
  // alive.
  process.exit();
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) await main();
