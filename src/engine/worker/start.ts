import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BUILD } from '../../build.js';
import { KubewrightError } from '../../errors.js';
import { identityOf } from '../processes/identity.js';
import { rotateLog } from '../processes/logs.js';
import type { ProcessUser } from '../processes/shared-record.js';
import type { Engine } from '../types.js';
import type { WorkerEnvironment, WorkerNeeds } from './environment.js';
import { type WorkerRecord, workerArguments, workerName } from './record.js';

/** A worker is ready within four seconds; a loaded machine is given ten times as many. */
const READY_LIMIT_MS = 40_000;

/** What a worker is started with. */
export interface EnsureWorkerOptions {
  /** Environment of the worker: sudo passwords, the SSH agent, the payload key. Default: this process's. */
  env?: NodeJS.ProcessEnv;
  /** What the worker must find there. One that runs and was started with other values is not used. */
  needs?: WorkerNeeds;
  /** Whether one with other values is replaced. Only where nobody else's cluster is on this queue. Default false. */
  replace?: boolean;
  /** Program of the worker; default: the one beside this file. */
  program?: string;
  /** Options of Node itself for it; default: this process's. */
  nodeOptions?: string[];
}

/** One use of a worker. */
export interface Use {
  engine: Engine;
  options: EnsureWorkerOptions;
  needs: WorkerNeeds;
  environment: WorkerEnvironment;
  self: ProcessUser;
  /** Takes a worker that runs as it is: only one that has died is missed. */
  content?: boolean;
}

/** @throws KubewrightError KW514 when it does not start, with the end of its log */
export async function startWorker(use: Use, previous: WorkerRecord | undefined): Promise<WorkerRecord> {
  const { engine, options, environment } = use;
  const name = workerName(engine);
  const log = join(engine.stateDir, `${name}.log`);
  const program = options.program ?? fileURLToPath(new URL('../../worker.js', import.meta.url));
  if (!existsSync(program)) {
    throw new KubewrightError('KW514', `The worker's program ${program} does not exist`, {
      hint: 'Run `npm run build`.',
    });
  }
  await rotateLog(log);
  const output = openSync(log, 'a', 0o600);
  const child = spawn(
    process.execPath,
    [...(options.nodeOptions ?? process.execArgv), program, ...workerArguments(engine.stateDir, name, BUILD)],
    { detached: true, stdio: ['ignore', output, output, 'ipc'], env: workerEnvironment(use) },
  );
  closeSync(output);
  await untilReady(child, log);
  const identity = await identityOf(child.pid ?? 0);
  if (identity === undefined) throw await notStarted(log, 'it ended at once');
  const { address, namespace } = engine.settings;
  const serves = { address, namespace, queue: engine.taskQueue, embedded: engine.server !== undefined };
  const kept = { users: previous?.users ?? [], detached: previous?.detached ?? false };
  return { ...identity, ...kept, build: BUILD, ...serves, log, environment };
}

/** It must reach the very server and queue that this engine has, whatever the terminal's variables and profiles say. */
function workerEnvironment({ engine, options }: Use): NodeJS.ProcessEnv {
  return {
    ...(options.env ?? process.env),
    ...engine.environment,
    KUBEWRIGHT_EMBEDDED: engine.server === undefined ? '' : '1',
    KUBEWRIGHT_TASK_QUEUE: engine.taskQueue,
  };
}

/** Waits for the child's word, then lets go of it. */
async function untilReady(child: ChildProcess, log: string): Promise<void> {
  const outcome = await new Promise<string>((resolve) => {
    const timer = setTimeout(() => resolve(`it is not ready after ${READY_LIMIT_MS / 1000} s`), READY_LIMIT_MS);
    const settle = (what: string): void => {
      clearTimeout(timer);
      resolve(what);
    };
    child.once('message', () => settle('ready'));
    child.once('error', (error) => settle(error.message));
    child.once('exit', (code, signal) => settle(`it ended with ${signal ?? `exit code ${code}`}`));
  });
  child.removeAllListeners();
  if (outcome !== 'ready') {
    child.kill('SIGKILL');
    throw await notStarted(log, outcome);
  }
  child.disconnect();
  child.unref();
}

async function notStarted(log: string, why: string): Promise<KubewrightError> {
  const text = await readFile(log, 'utf8').catch(() => '');
  return new KubewrightError('KW514', `The worker did not start: ${why}`, {
    hint: `Its log is ${log}.`,
    output: text.split('\n').slice(-15).join('\n').trim(),
  });
}
