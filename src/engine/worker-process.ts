import { hostname, userInfo } from 'node:os';
import { versionOf } from '../build.js';
import { KubewrightError } from '../errors.js';
import { VERSION } from '../version.js';
import { payloadKeyIds } from './codec/payload-codec.js';
import { isAlive } from './processes/identity.js';
import { requireProcesses } from './processes/platform.js';
import {
  livingUsers,
  newUser,
  type ProcessUser,
  type SharedRecord,
  withoutUser,
  withUser,
} from './processes/shared-record.js';
import { terminate } from './processes/terminate.js';
import { statusOf } from './runs/ask.js';
import { ensureStateDirectory } from './state-directory.js';
import { type Engine, openOn } from './types.js';
import { differences, environmentFor, NO_NEEDS } from './worker/environment.js';
import {
  findWorkers,
  runningWorker,
  type WorkerOwner,
  type WorkerRecord,
  workerName,
  workerNames,
  workerRecords,
} from './worker/record.js';
import { type EnsureWorkerOptions, startWorker, type Use } from './worker/start.js';

export type { WorkerOwner, WorkerRecord } from './worker/record.js';
export type { EnsureWorkerOptions } from './worker/start.js';

/** Longer than the worker's own limit for draining, after which it gives up what still runs. */
const DRAIN_LIMIT_MS = 20_000;

/** The background worker as one of its users sees it. */
export interface WorkerProcess {
  readonly pid: number;
  /** What it runs; another build than `BUILD` where it was started before this program was updated. */
  readonly build: string;
  readonly log: string;
  /** True when this command started it. */
  readonly started: boolean;
  /** Names of the variables for whose sake one that ran was replaced; empty when none was. */
  readonly replacedFor: readonly string[];
  /** Starts it again when it has died, unless somebody has stopped it. Returns true when it did. */
  revive(): Promise<boolean>;
  /** Lets it run on when the last user leaves, until there has been no install on its queue for an hour. */
  detach(): Promise<void>;
  /** Ends this command's use; the last user's leaving drains and stops it unless it is detached. */
  leave(): Promise<'stopped' | 'running'>;
}

/**
 * Attaches to the background worker of an engine's queue, or starts one: a process of its own in a process group of its own,
 * so that Ctrl-C at a terminal does not reach it before it is asked to drain. When its users are killed it leaves by itself.
 *
 * One of another version goes on as long as runs are open on its queue: they end with the version that began them. Behind that
 * it is drained, and one of this version takes its place.
 *
 * @throws KubewrightError KW514 when it does not start (with the end of its log), KW517 when one with another environment runs, KW519 not on this system, KW550 it runs on another machine
 */
export async function ensureWorker(engine: Engine, options: EnsureWorkerOptions = {}): Promise<WorkerProcess> {
  requireProcesses();
  await ensureStateDirectory(engine.stateDir);
  const { env = process.env, needs = NO_NEEDS } = options;
  const environment = await environmentFor(engine.stateDir, env, needs, payloadKeyIds(engine.dataConverter));
  return ensureAs({ engine, options, needs, environment, self: await newUser() });
}

async function ensureAs(use: Use): Promise<WorkerProcess> {
  const { engine, self } = use;
  const records = recordsOf(engine);
  const { record, started, replacedFor } = await records.update(async (previous) => {
    const found = await running(previous, use);
    // Under the lock, so that a server that is being stopped gets no new worker.
    if (found.present === undefined) await engine.server?.revive();
    const base = found.present ?? (await startWorker(use, previous));
    const record = { ...base, users: withUser(await livingUsers(base.users), self) };
    return { record, result: { record, started: found.present === undefined, replacedFor: found.replacedFor } };
  });
  return {
    pid: record.pid,
    build: record.build,
    log: record.log,
    started,
    replacedFor,
    revive: () => revive(records, record, use),
    detach: () =>
      records.update(async (present) => ({ record: present && { ...present, detached: true }, result: undefined })),
    leave: () => leave(records, self),
  };
}

/**
 * Drains a background worker of another version that has nothing to do any more, before something is started on its queue: it
 * would take it. The next `ensureWorker` brings one of this version.
 *
 * @throws KubewrightError KW507 when another command holds the record
 */
export async function retireOutdatedWorker(engine: Engine, options: EnsureWorkerOptions = {}): Promise<void> {
  const { env = process.env, needs = NO_NEEDS } = options;
  const environment = await environmentFor(engine.stateDir, env, needs, payloadKeyIds(engine.dataConverter));
  await recordsOf(engine).update<void>(async (record) => {
    if (record === undefined || !(await isAlive(record))) return { record, result: undefined };
    if (!(await isOutdated(record, { engine, environment, needs }))) return { record, result: undefined };
    await terminate(record, DRAIN_LIMIT_MS);
    return { record: { ...record, pid: 0, startTime: '' }, result: undefined };
  });
}

async function revive(records: SharedRecord<WorkerRecord>, before: WorkerRecord, use: Use): Promise<boolean> {
  const record = (await records.read()) ?? before;
  if (record.stoppedBy !== undefined || (await isAlive(record))) return false;
  // Another terminal may have what the worker needs and this one has not: then it is for that one to start it.
  const others = await livingUsers(withoutUser(record.users, use.self));
  const lacks = await differences(use.environment, record.environment, use.needs);
  if (others.length > 0 && lacks.length > 0) return false;
  // Until it is this one's turn another terminal may have replaced it, with what that one has: that counts.
  return (await ensureAs({ ...use, content: true })).started;
}

/** Drains and stops the background worker of an engine's queue whoever uses it. Returns false when none ran. */
export async function stopWorker(engine: WorkerOwner, by = thisUser()): Promise<boolean> {
  return stopNamed(engine.stateDir, workerName(engine), by);
}

/**
 * Drains and stops every background worker of a state directory, also those of another version and those whose record was
 * lost. Installs that use them wait, and do not start them again; a later command does.
 *
 * @param which only those; default all
 * @returns how many ran
 */
export async function stopWorkers(
  stateDir: string,
  which: (record: WorkerRecord) => boolean = () => true,
  by = thisUser(),
): Promise<number> {
  const names = await workerNames(stateDir);
  const records = await Promise.all(
    names.map(async (name) => ({ name, record: await workerRecords(stateDir, name).read() })),
  );
  const meant = records.filter(({ record }) => record !== undefined && which(record)).map(({ name }) => name);
  const stopped = await Promise.all(meant.map((name) => stopNamed(stateDir, name, by)));
  const known = new Set(records.map(({ record }) => record?.pid));
  const lost = (await findWorkers(stateDir)).filter(({ pid }) => !known.has(pid));
  await Promise.all(lost.map((worker) => terminate(worker, DRAIN_LIMIT_MS)));
  return stopped.filter(Boolean).length + lost.length;
}

async function stopNamed(stateDir: string, name: string, stoppedBy: string): Promise<boolean> {
  return workerRecords(stateDir, name).update<boolean>(async (record) => {
    if (record === undefined || !(await isAlive(record))) return { record, result: false };
    await terminate(record, DRAIN_LIMIT_MS);
    return { record: { ...record, pid: 0, startTime: '', users: [], detached: false, stoppedBy }, result: true };
  });
}

function thisUser(): string {
  return `${userInfo().username}@${hostname()}`;
}

/** The record of the background worker of an engine's queue, or undefined when none runs. */
export async function workerStatus(engine: WorkerOwner): Promise<WorkerRecord | undefined> {
  return runningWorker(engine.stateDir, workerName(engine));
}

/** All background workers of a state directory that run. */
export async function listWorkers(stateDir: string): Promise<WorkerRecord[]> {
  const all = await Promise.all((await workerNames(stateDir)).map((name) => runningWorker(stateDir, name)));
  return all.filter((record) => record !== undefined);
}

function recordsOf(engine: WorkerOwner): SharedRecord<WorkerRecord> {
  return workerRecords(engine.stateDir, workerName(engine));
}

async function leave(records: SharedRecord<WorkerRecord>, self: ProcessUser): Promise<'stopped' | 'running'> {
  return records.update<'stopped' | 'running'>(async (record) => {
    // That it was stopped is kept for those who still follow its installs.
    if (record === undefined || record.stoppedBy !== undefined) return { record, result: 'stopped' };
    const users = await livingUsers(withoutUser(record.users, self));
    if (users.length > 0 || record.detached) return { record: { ...record, users }, result: 'running' };
    await terminate(record, DRAIN_LIMIT_MS);
    return { record: undefined, result: 'stopped' };
  });
}

interface Found {
  /** The worker to use; undefined when one is to be started. */
  present: WorkerRecord | undefined;
  /** What the one that ran had another value of; it is gone then. */
  replacedFor: string[];
}

async function running(record: WorkerRecord | undefined, use: Use): Promise<Found> {
  const { engine, options, needs, environment } = use;
  const none = { present: undefined, replacedFor: [] };
  if (record === undefined || !(await isAlive(record))) {
    // What an orphan says of itself is lost. It talks to a server by address, so a new one is quicker than finding out.
    for (const orphan of await findWorkers(engine.stateDir, workerName(engine)))
      await terminate(orphan, DRAIN_LIMIT_MS);
    return none;
  }
  const moved = engine.server !== undefined && record.address !== engine.settings.address;
  const other = use.content ? [] : await differences(record.environment, environment, needs);
  const outdated = await isOutdated(record, use);
  if (!moved && !outdated && other.length === 0) return { present: record, replacedFor: [] };
  if (!moved && !outdated && !options.replace) throw otherEnvironment(record, other);
  // The embedded server came back on another port, or the cluster's steps want what this terminal has, or nothing is left to
  // do for one of another version.
  await terminate(record, DRAIN_LIMIT_MS);
  return { ...none, replacedFor: other };
}

/** Whether it is of another version, has nothing to do, and has nothing that this terminal could not give its successor. */
async function isOutdated(
  { build, environment }: WorkerRecord,
  use: Pick<Use, 'engine' | 'environment' | 'needs'>,
): Promise<boolean> {
  if (versionOf(build) === VERSION) return false;
  const lacks = await differences(use.environment, environment, use.needs);
  return lacks.length === 0 && (await hasNothingOpen(use.engine));
}

/** More than anybody has open on a queue of one cluster. */
const LOOKED_AT = 20;

/**
 * Whether all runs of a queue have ended. Where that cannot be known, some may be open. Each is asked itself: a list still holds
 * for a second what has just ended, and that is when the next command comes.
 */
async function hasNothingOpen({ client, settings, taskQueue }: Engine): Promise<boolean> {
  const { namespace } = settings;
  try {
    const listed = { namespace, query: openOn(taskQueue), pageSize: LOOKED_AT };
    const { executions } = await client.workflowService.listWorkflowExecutions(listed);
    const asked = (executions ?? []).map(async ({ execution }) => {
      const handle = client.workflow.getHandle(execution?.workflowId ?? '', execution?.runId ?? undefined);
      return statusOf((await handle.describe()).status.name) === 'running';
    });
    const isOpen = await Promise.all(asked);
    return isOpen.length < LOOKED_AT && !isOpen.includes(true);
  } catch {
    return false;
  }
}

function otherEnvironment({ pid, queue }: WorkerRecord, names: string[]): KubewrightError {
  return new KubewrightError(
    'KW517',
    `The worker that runs for task queue ${queue} (pid ${pid}) has not this terminal's ${names.join(', ')}`,
    { hint: 'Stop it with `kubewright worker stop`, then run this again: a worker with this environment is started.' },
  );
}
