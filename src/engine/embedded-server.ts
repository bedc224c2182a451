import { KubewrightError, messageOf } from '../errors.js';
import { findProcesses, hasOpen } from './processes/find.js';
import { identityOf, isAlive, type ProcessIdentity } from './processes/identity.js';
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
import { type BinaryOptions, findServerBinaries, type ServerBinaries } from './server/binaries.js';
import { databasePath, launchServer } from './server/launch.js';
import { answers, freePort, LOOPBACK } from './server/ports.js';
import { retain } from './server/retention.js';
import { launchUi } from './server/ui.js';
import { ensureStateDirectory } from './state-directory.js';

/** Time the server is given to close its database before it is killed; SQLite survives the kill as well. */
const STOP_GRACE_MS = 5_000;

export interface EmbeddedServerOptions extends BinaryOptions {
  stateDir: string;
  /** Port of the server; by default the one it had before, else a free one. */
  port?: number;
  /** Whether a UI runs beside it; default true. */
  ui?: boolean;
}

/** What `STATE/server.json` says. */
export interface ServerRecord extends SharedProcess {
  port: number;
  uiPort: number | null;
  /** The UI's own process; null where the server brings its UI. */
  ui: ProcessIdentity | null;
  cli: string;
  /** Programs that its starter named; whoever starts it again uses them too. */
  executable: string | null;
  uiExecutable: string | null;
  notice: string | null;
}

/** The embedded server as one of its users sees it. */
export interface EmbeddedServer {
  readonly address: string;
  readonly uiUrl: string | undefined;
  /** What the user should know, such as a UI without the activity's buttons. */
  readonly notice: string | undefined;
  /** True when this command started it, false when it ran already. */
  readonly started: boolean;
  /** Starts it again when it has died, on the same port and database, so that connections find it again. */
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
 * whose database was deleted under it is ended and replaced.
 *
 * @throws KubewrightError KW506 state directory, KW507 lock, KW508 or KW7xx no server to be had, KW509 it did not start
 */
export async function attachServer(options: EmbeddedServerOptions): Promise<EmbeddedServer> {
  return attachAs(await newUser(), options);
}

async function attachAs(self: ProcessUser, options: EmbeddedServerOptions): Promise<EmbeddedServer> {
  await ensureStateDirectory(options.stateDir);
  const records = new SharedRecord<ServerRecord>(options.stateDir, 'server.json');
  // Before the lock, for the first time this may be a download or a build of minutes, and others wait for the lock.
  const binaries = (await serverStatus(options.stateDir))
    ? undefined
    : await chosenBinaries(await records.read(), options);
  const attached = await records.update(async (record) => {
    const present = await running(record, options);
    const base = present ?? (await start(record, options, binaries ?? (await chosenBinaries(record, options))));
    const users = withUser(await livingUsers(base.users), self);
    return { record: { ...base, users }, result: { record: base, started: present === undefined } };
  });
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
    return { record: undefinedButPorts(record), result: 'stopped' };
  });
}

/** A stopped server leaves its ports behind: the next start takes them again, and bookmarks of the UI stay right. */
function undefinedButPorts(record: ServerRecord): ServerRecord {
  return { ...record, pid: 0, startTime: '', ui: null, users: [], detached: false };
}

/** Stops the embedded server whoever uses it. Returns false when none ran. */
export async function stopServer(stateDir: string): Promise<boolean> {
  await ensureStateDirectory(stateDir);
  const records = new SharedRecord<ServerRecord>(stateDir, 'server.json');
  return records.update(async (record) => {
    const present = await running(record, { stateDir });
    if (present === undefined) return { record, result: false };
    await stopProcesses(present);
    return { record: undefinedButPorts(present), result: true };
  });
}

/** The record of the running embedded server, or undefined when none runs. Changes nothing. */
export async function serverStatus(stateDir: string): Promise<ServerRecord | undefined> {
  const record = await new SharedRecord<ServerRecord>(stateDir, 'server.json').read();
  if (record === undefined || !(await isAlive(record))) return undefined;
  return { ...record, users: await livingUsers(record.users) };
}

async function stopProcesses(record: ServerRecord): Promise<void> {
  await Promise.all([record, ...(record.ui === null ? [] : [record.ui])].map((one) => terminate(one, STOP_GRACE_MS)));
}

/** The record of a server that runs and works on the database that is there; ends one that works on a deleted one. */
async function running(
  record: ServerRecord | undefined,
  options: EmbeddedServerOptions,
): Promise<ServerRecord | undefined> {
  const database = databasePath(options.stateDir);
  const alive = record !== undefined && (await isAlive(record)) ? record : await findOrphan(options.stateDir);
  if (alive === undefined) return undefined;
  if (await hasOpen(alive.pid, database)) return withUi(alive, options);
  await stopProcesses(alive);
  return undefined;
}

/** A server whose record was lost: its arguments name our database. */
async function findOrphan(stateDir: string): Promise<ServerRecord | undefined> {
  const database = databasePath(stateDir);
  const [found] = await findProcesses((argv) => argv.includes('start-dev') && argv.includes(database));
  if (found === undefined) return undefined;
  const identity = await identityOf(found.pid);
  const port = Number(found.argv[found.argv.indexOf('--port') + 1]);
  if (identity === undefined || !(await answers(port))) return undefined;
  const uiFlag = found.argv.indexOf('--ui-port');
  const uiPort = uiFlag < 0 ? null : Number(found.argv[uiFlag + 1]);
  const cli = found.argv[0] ?? 'temporal';
  const programs = { cli, executable: null, uiExecutable: null };
  return { ...identity, port, uiPort, ui: null, users: [], detached: false, notice: null, ...programs };
}

/** Starts a UI again that has died beside a living server. */
async function withUi(record: ServerRecord, options: EmbeddedServerOptions): Promise<ServerRecord> {
  if (record.ui === null || options.ui === false || (await isAlive(record.ui))) return record;
  const binaries = await chosenBinaries(record, options);
  if (binaries.ui === undefined) return record;
  return { ...record, ...(await startUi(binaries.ui, record.port, record.uiPort ?? undefined, options)) };
}

/** Programs named now, else those that the last starter named, else what is found. */
async function chosenBinaries(
  previous: ServerRecord | undefined,
  options: EmbeddedServerOptions,
): Promise<ChosenBinaries> {
  const executable = options.executable ?? previous?.executable ?? undefined;
  const uiExecutable = options.uiExecutable ?? previous?.uiExecutable ?? undefined;
  const binaries = await findServerBinaries({ ...options, executable, uiExecutable });
  return { ...binaries, executable: executable ?? null, uiExecutable: uiExecutable ?? null };
}

type ChosenBinaries = ServerBinaries & Pick<ServerRecord, 'executable' | 'uiExecutable'>;

async function start(
  previous: ServerRecord | undefined,
  options: EmbeddedServerOptions,
  binaries: ChosenBinaries,
): Promise<ServerRecord> {
  // A UI that outlived its server holds the UI's port and asks a server that is gone.
  if (previous?.ui) await terminate(previous.ui, STOP_GRACE_MS);
  const port = await freePort(options.port ?? previous?.port);
  const wantsUi = options.ui !== false;
  const ownUi = wantsUi && binaries.ui === undefined ? await freePort(previous?.uiPort ?? undefined) : undefined;
  const identity = await launchServer(binaries.cli, options.stateDir, port, ownUi);
  await retain(`${LOOPBACK}:${port}`);
  const beside =
    wantsUi && binaries.ui !== undefined
      ? await startUi(binaries.ui, port, previous?.uiPort ?? undefined, options)
      : { uiPort: ownUi ?? null, ui: null };
  const kept = { users: previous?.users ?? [], detached: previous?.detached ?? false };
  const { cli, executable, uiExecutable } = binaries;
  const programs = { cli, executable, uiExecutable, notice: binaries.notice ?? null };
  return { ...identity, port, ...kept, ...programs, ...beside };
}

/** The UI is a convenience: when it does not start, the install goes on and says so. */
async function startUi(
  ui: string,
  port: number,
  preferred: number | undefined,
  options: EmbeddedServerOptions,
): Promise<Pick<ServerRecord, 'ui' | 'uiPort'>> {
  try {
    const uiPort = await freePort(preferred);
    return { uiPort, ui: await launchUi(ui, options.stateDir, { server: port, ui: uiPort }) };
  } catch (error) {
    options.onProgress?.(`Temporal's UI did not start: ${messageOf(error)}`);
    return { uiPort: null, ui: null };
  }
}

/** @throws KubewrightError KW501 when no embedded server runs there */
export async function requireServer(stateDir: string): Promise<ServerRecord> {
  const record = await serverStatus(stateDir);
  if (record !== undefined) return record;
  throw new KubewrightError('KW501', `No embedded Temporal server runs for ${stateDir}`, {
    hint: 'Start one with `kubewright server start`, or give --address.',
  });
}
