import { hostname, userInfo } from 'node:os';
import { KubewrightError } from '../errors.js';
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
import { LOOPBACK } from './server/ports.js';
import {
  runningServer,
  type ServerRecord,
  serverRecords,
  serverStatus,
  stopProcesses,
  withoutProcesses,
} from './server/record.js';
import { chosenBinaries, type EmbeddedServerOptions, startServer, withCompanions } from './server/start.js';
import { ensureStateDirectory } from './state-directory.js';

export { type ServerRecord, serverStatus } from './server/record.js';
export type { EmbeddedServerOptions } from './server/start.js';

/** The embedded server as one of its users sees it. */
export interface EmbeddedServer {
  readonly address: string;
  readonly uiUrl: string | undefined;
  /** What the user should know, such as a UI without the activity's buttons. */
  readonly notice: string | undefined;
  /** True when this command started it, false when it ran already. */
  readonly started: boolean;
  /**
   * Starts it again when it has died, on the same port and database, so that connections find it again.
   *
   * @throws KubewrightError KW516 when its port is taken, KW518 when somebody has stopped it on purpose
   */
  revive(): Promise<void>;
  /** Lets it run on when the last user leaves. */
  detach(): Promise<void>;
  /** Ends this command's use; the last user's leaving stops the server unless it is detached. */
  leave(): Promise<'stopped' | 'running'>;
}

/**
 * Attaches to the embedded server of a state directory, or starts it: Temporal's development server on the SQLite file
 * `temporal.db` there, with the UI beside it, both on loopback. Safe for many commands at once.
 *
 * A record whose process is gone is replaced; a server whose record was lost is found by its database and used; one
 * whose database was deleted under it is ended and replaced. Its keeper stops it when all users were killed.
 *
 * @throws KubewrightError KW506 state directory, KW507 lock, KW508 or KW7xx no server to be had, KW509 it did not start,
 * KW519 not on this system, KW550 it runs on another machine; the signal's reason when it was aborted
 */
export async function attachServer(options: EmbeddedServerOptions): Promise<EmbeddedServer> {
  requireProcesses();
  return attachAs(await newUser(), options);
}

async function attachAs(self: ProcessUser, options: EmbeddedServerOptions): Promise<EmbeddedServer> {
  await ensureStateDirectory(options.stateDir);
  const records = serverRecords(options.stateDir);
  // Before the lock, for the first time this may be a download or a build of minutes, and others wait for the lock.
  const binaries = (await serverStatus(options.stateDir))
    ? undefined
    : await chosenBinaries(await records.read(), options);
  const attached = await records.update(async (record) => {
    const present = await runningServer(record, options.stateDir);
    const base =
      present === undefined
        ? await startServer(record, options, binaries ?? (await chosenBinaries(record, options)))
        : await withCompanions(present, options);
    const users = withUser(await livingUsers(base.users), self);
    return { record: { ...base, users }, result: { record: base, started: present === undefined } };
  }, options.signal);
  return handle(records, attached.record, attached.started, self, options);
}

function handle(
  records: SharedRecord<ServerRecord>,
  record: ServerRecord,
  started: boolean,
  self: ProcessUser,
  options: EmbeddedServerOptions,
): EmbeddedServer {
  return {
    address: `${LOOPBACK}:${record.port}`,
    uiUrl: record.uiPort === null ? undefined : `http://${LOOPBACK}:${record.uiPort}`,
    notice: record.notice ?? undefined,
    started,
    revive: async () => {
      // Without the lock first: this is asked often, and nearly always the answer is that it runs.
      const now = await records.read();
      if (now?.stoppedBy !== undefined) throw stopped(now.stoppedBy);
      if (await isAlive(record)) return;
      await attachAs(self, { ...options, port: record.port });
      const present = await records.read();
      if (present !== undefined && present.port !== record.port) throw moved(record, present);
      Object.assign(record, present);
    },
    detach: () => setDetached(records),
    leave: () => leave(records, self),
  };
}

function moved(before: ServerRecord, now: ServerRecord): KubewrightError {
  return new KubewrightError(
    'KW516',
    `The embedded server came back on port ${now.port}, for something else has taken ${before.port} meanwhile`,
    { hint: 'Run the command again: it finds the server and goes on where the install stands.' },
  );
}

function stopped(by: string): KubewrightError {
  return new KubewrightError('KW518', `The embedded Temporal server was stopped by ${by}`, {
    hint: 'Installs wait where they stand; what runs on the hosts runs on. `kubewright install cluster.yaml` goes on.',
  });
}

async function setDetached(records: SharedRecord<ServerRecord>): Promise<void> {
  await records.update(async (record) => ({
    record: record === undefined ? undefined : { ...record, detached: true },
    result: undefined,
  }));
}

async function leave(records: SharedRecord<ServerRecord>, self: ProcessUser): Promise<'stopped' | 'running'> {
  return records.update<'stopped' | 'running'>(async (record) => {
    if (record === undefined) return { record, result: 'stopped' };
    const users = await livingUsers(withoutUser(record.users, self));
    if (users.length > 0 || record.detached) return { record: { ...record, users }, result: 'running' };
    await stopProcesses(record);
    return { record: withoutProcesses(record), result: 'stopped' };
  });
}

/** How the embedded server is stopped. */
export interface StopOptions {
  /** Who stops it, for those who are told; default `user@machine`. */
  by?: string;
  /** Called when its users know that it stops and before it does: workers drain with its help. */
  drain?: () => Promise<unknown>;
}

/**
 * Stops the embedded server whoever uses it. Its users do not start it again: what they do next ends with KW518. A command
 * that comes later starts it anew.
 *
 * @returns false when none ran
 */
export async function stopServer(stateDir: string, options: StopOptions = {}): Promise<boolean> {
  await ensureStateDirectory(stateDir);
  const records = serverRecords(stateDir);
  const stoppedBy = options.by ?? `\`kubewright server stop\` of ${userInfo().username}@${hostname()}`;
  const ran = await records.update(async (record) => {
    const present = await runningServer(record, stateDir);
    if (present === undefined) return { record, result: false };
    return { record: { ...present, stoppedBy }, result: true };
  });
  await options.drain?.();
  // The last worker that leaves may have ended it by now; what it has left is ended all the same.
  await records.update(async (record) => {
    const present = (await runningServer(record, stateDir)) ?? record;
    if (present === undefined || !ran) return { record, result: undefined };
    await stopProcesses(present);
    return { record: withoutProcesses(present), result: undefined };
  });
  return ran;
}
