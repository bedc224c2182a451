import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { findProcesses } from '../processes/find.js';
import { identityOf, isAlive, type ProcessIdentity } from '../processes/identity.js';
import { livingUsers, type SharedProcess, SharedRecord } from '../processes/shared-record.js';
import { type Engine, TASK_QUEUE } from '../types.js';
import type { WorkerEnvironment } from './environment.js';

/** What `STATE/worker-CLUSTER.json` says. */
export interface WorkerRecord extends SharedProcess {
  /** Build of Kubewright that it runs: version and commit. */
  build: string;
  address: string;
  namespace: string;
  queue: string;
  /** Whether it works for the embedded server of its state directory. */
  embedded: boolean;
  log: string;
  environment: WorkerEnvironment;
}

/** Whose worker is meant: an engine's; with a state directory alone, that of the embedded server's common queue. */
export type WorkerOwner = Pick<Engine, 'stateDir'> & Partial<Pick<Engine, 'settings' | 'server' | 'taskQueue'>>;

/**
 * One record for each server, namespace and queue. The embedded server's are named after the cluster that they serve; others
 * carry a hash, for an address makes no file name.
 */
export function workerName({ server, settings, taskQueue = TASK_QUEUE }: WorkerOwner): string {
  if (server !== undefined || settings === undefined) {
    if (taskQueue === TASK_QUEUE) return 'worker';
    const [, cluster] = /^kubewright\/cluster\/([a-z0-9-]+)$/.exec(taskQueue) ?? [];
    if (cluster !== undefined) return `worker-${cluster}`;
  }
  const target = settings === undefined ? taskQueue : `${settings.address}/${settings.namespace}/${taskQueue}`;
  return `worker.${createHash('sha256').update(target).digest('hex').slice(0, 8)}`;
}

export function workerRecords(stateDir: string, name: string): SharedRecord<WorkerRecord> {
  return new SharedRecord<WorkerRecord>(stateDir, `${name}.json`);
}

/** Names of all background workers that a state directory has a record of. */
export async function workerNames(stateDir: string): Promise<string[]> {
  const names = await readdir(stateDir).catch(() => []);
  return names
    .filter((name) => /^worker([.-][a-z0-9-]+)?\.json$/.test(name))
    .map((name) => name.slice(0, -'.json'.length));
}

/** The record of a background worker, or undefined when it does not run. */
export async function runningWorker(stateDir: string, name: string): Promise<WorkerRecord | undefined> {
  const record = await workerRecords(stateDir, name).read();
  if (record === undefined || !(await isAlive(record))) return undefined;
  return { ...record, users: await livingUsers(record.users) };
}

/** The build stands in the arguments for people who look at `ps`, and for a Kubewright of another version. */
export function workerArguments(stateDir: string, name: string, build: string): string[] {
  return ['--state-dir', stateDir, '--record', name, '--build', build];
}

export interface OrphanedWorker extends ProcessIdentity {
  build: string;
}

/**
 * Workers of a state directory by their arguments, of whatever version: how they are found when their record was lost.
 *
 * @param name only the one with this record; 0.1.0 had one record and did not name it
 */
export async function findWorkers(stateDir: string, name?: string): Promise<OrphanedWorker[]> {
  const after = (argv: string[], flag: string): string | undefined =>
    argv.includes(flag) ? argv[argv.indexOf(flag) + 1] : undefined;
  const found = await findProcesses((argv) => {
    if (after(argv, '--state-dir') !== stateDir || after(argv, '--build') === undefined) return false;
    return name === undefined || (after(argv, '--record') ?? 'worker') === name;
  });
  const workers = await Promise.all(
    found.map(async ({ pid, argv }) => {
      const identity = await identityOf(pid);
      return identity && { ...identity, build: after(argv, '--build') ?? '' };
    }),
  );
  return workers.filter((worker) => worker !== undefined);
}
