import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { closeSync, existsSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { KubewrightError } from '../errors.js';
import { VERSION } from '../version.js';
import { findProcesses } from './processes/find.js';
import { identityOf, isAlive } from './processes/identity.js';
import {
  livingUsers,
  newUser,
  type ProcessUser,
  type SharedProcess,
  SharedRecord,
  withoutUser,
  withUser,
} from './processes/shared-record.js';
import { terminate } from './processes/terminate.js';
import { ensureStateDirectory } from './state-directory.js';
import type { Engine } from './types.js';

/** Longer than the worker's own limit for draining, after which it gives up what still runs. */
const DRAIN_LIMIT_MS = 20_000;
/** A worker is ready within four seconds; a loaded machine is given ten times as many. */
const READY_LIMIT_MS = 40_000;

/** What `STATE/worker.json` says. */
export interface WorkerRecord extends SharedProcess {
  /** Version of Kubewright that it runs. */
  build: string;
  address: string;
  log: string;
}

export interface EnsureWorkerOptions {
  /** Environment of the worker: sudo passwords, the SSH agent, the payload key. Default: this process's. */
  env?: NodeJS.ProcessEnv;
  /** Program of the worker; default: the one beside this file. */
  program?: string;
  /** Options of Node itself for it; default: this process's. */
  nodeOptions?: string[];
}

/** The background worker as one of its users sees it. */
export interface WorkerProcess {
  readonly pid: number;
  readonly log: string;
  /** True when this command started it. */
  readonly started: boolean;
  /** Starts it again when it has died. Returns true when it had. */
  revive(): Promise<boolean>;
  /** Lets it run on when the last user leaves. */
  detach(): Promise<void>;
  /** Ends this command's use; the last user's leaving drains and stops it unless it is detached. */
  leave(): Promise<'stopped' | 'running'>;
}

/**
 * Attaches to the background worker of an engine, or starts one: a process of its own in a process group of its own, so
 * that Ctrl-C at a terminal does not reach it before it is asked to drain. It survives the command that started it.
 *
 * @throws KubewrightError KW514 when it does not start (with the end of its log), KW515 when one of another version
 * runs
 */
export async function ensureWorker(engine: Engine, options: EnsureWorkerOptions = {}): Promise<WorkerProcess> {
  return ensureAs(await newUser(), engine, options);
}

async function ensureAs(self: ProcessUser, engine: Engine, options: EnsureWorkerOptions): Promise<WorkerProcess> {
  await ensureStateDirectory(engine.stateDir);
  const records = recordsOf(engine);
  const { record, started } = await records.update(async (previous) => {
    const present = await running(previous, engine);
    const base = present ?? (await start(engine, options, previous));
    const record = { ...base, users: withUser(await livingUsers(base.users), self) };
    return { record, result: { record, started: present === undefined } };
  });
  return {
    pid: record.pid,
    log: record.log,
    started,
    revive: async () => {
      if (await isAlive((await records.read()) ?? record)) return false;
      return (await ensureAs(self, engine, options)).started;
    },
    detach: () =>
      records.update(async (present) => ({ record: present && { ...present, detached: true }, result: undefined })),
    leave: () => leave(records, self),
  };
}

/** Whose worker is meant: an engine's, or, with a state directory alone, that of the embedded server there. */
export type WorkerOwner = Pick<Engine, 'stateDir'> & Partial<Pick<Engine, 'settings' | 'server'>>;

/** Drains and stops the background worker whoever uses it. Returns false when none ran. */
export async function stopWorker(engine: WorkerOwner): Promise<boolean> {
  const records = recordsOf(engine);
  return records.update(async (record) => {
    if (record === undefined || !(await isAlive(record))) return { record: undefined, result: false };
    await terminate(record, DRAIN_LIMIT_MS);
    return { record: undefined, result: true };
  });
}

/** The record of the background worker, or undefined when none runs. */
export async function workerStatus(engine: WorkerOwner): Promise<WorkerRecord | undefined> {
  const record = await recordsOf(engine).read();
  if (record === undefined || !(await isAlive(record))) return undefined;
  return { ...record, users: await livingUsers(record.users) };
}

/** One worker a server: the embedded one's is `worker.json`, others carry a hash of address and namespace. */
function recordsOf(engine: WorkerOwner): SharedRecord<WorkerRecord> {
  return new SharedRecord(engine.stateDir, `${nameOf(engine)}.json`);
}

function nameOf({ server, settings }: WorkerOwner): string {
  if (server !== undefined || settings === undefined) return 'worker';
  const target = `${settings.address}/${settings.namespace}`;
  return `worker-${createHash('sha256').update(target).digest('hex').slice(0, 8)}`;
}

async function leave(records: SharedRecord<WorkerRecord>, self: ProcessUser): Promise<'stopped' | 'running'> {
  return records.update<'stopped' | 'running'>(async (record) => {
    if (record === undefined) return { record, result: 'stopped' };
    const users = await livingUsers(withoutUser(record.users, self));
    if (users.length > 0 || record.detached) return { record: { ...record, users }, result: 'running' };
    await terminate(record, DRAIN_LIMIT_MS);
    return { record: undefined, result: 'stopped' };
  });
}

async function running(record: WorkerRecord | undefined, engine: Engine): Promise<WorkerRecord | undefined> {
  const present = record !== undefined && (await isAlive(record)) ? record : await findOrphan(engine);
  if (present === undefined) return undefined;
  if (present.build !== VERSION) {
    throw new KubewrightError(
      'KW515',
      `A worker of kubewright ${present.build} runs (pid ${present.pid}), this is ${VERSION}`,
      {
        hint: 'Let its installs end, stop it with `kubewright worker stop`, then start anew.',
      },
    );
  }
  if (engine.server === undefined || present.address === engine.settings.address) return present;
  // The embedded server came back on another port; this worker waits at the old one.
  await terminate(present, DRAIN_LIMIT_MS);
  return undefined;
}

/** A worker whose record was lost with the state directory. Only the embedded server's can be told by its arguments. */
async function findOrphan(engine: Engine): Promise<WorkerRecord | undefined> {
  if (engine.server === undefined) return undefined;
  const marks = workerArguments(engine);
  const [found] = await findProcesses((argv) => marks.every((mark) => argv.includes(mark)));
  const identity = found === undefined ? undefined : await identityOf(found.pid);
  if (identity === undefined) return undefined;
  // What it says of itself is lost. It talks to a server by address, so a new one is quicker than finding out.
  await terminate(identity, DRAIN_LIMIT_MS);
  return undefined;
}

/** The build stands in the arguments for people who look at `ps`. */
function workerArguments(engine: Engine): string[] {
  return ['--state-dir', engine.stateDir, '--build', VERSION];
}

async function start(
  engine: Engine,
  options: EnsureWorkerOptions,
  previous: WorkerRecord | undefined,
): Promise<WorkerRecord> {
  const log = join(engine.stateDir, `${nameOf(engine)}.log`);
  const program = options.program ?? fileURLToPath(new URL('../worker.js', import.meta.url));
  if (!existsSync(program)) {
    throw new KubewrightError('KW514', `The worker's program ${program} does not exist`, {
      hint: 'Run `npm run build`.',
    });
  }
  const output = openSync(log, 'a', 0o600);
  const child = spawn(
    process.execPath,
    [...(options.nodeOptions ?? process.execArgv), program, ...workerArguments(engine)],
    {
      detached: true,
      stdio: ['ignore', output, output, 'ipc'],
      env: { ...(options.env ?? process.env), ...engine.environment },
    },
  );
  closeSync(output);
  await untilReady(child, log);
  const identity = await identityOf(child.pid ?? 0);
  if (identity === undefined) throw await notStarted(log, 'it ended at once');
  const detached = previous?.detached ?? false;
  const { address } = engine.settings;
  return { ...identity, users: previous?.users ?? [], detached, build: VERSION, address, log };
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
