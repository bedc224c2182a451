import { findProcesses, hasOpen } from '../processes/find.js';
import { identityOf, isAlive, type ProcessIdentity } from '../processes/identity.js';
import { livingUsers, type SharedProcess, SharedRecord } from '../processes/shared-record.js';
import { terminate } from '../processes/terminate.js';
import { databasePath } from './launch.js';
import { answers } from './ports.js';

/** Time the server is given to close its database before it is killed; SQLite survives the kill as well. */
export const STOP_GRACE_MS = 5_000;

/** What `STATE/server.json` says. */
export interface ServerRecord extends SharedProcess {
  port: number;
  uiPort: number | null;
  /** The UI's own process; null where the server brings its UI. */
  ui: ProcessIdentity | null;
  /** The process that stops the server when its users were killed; null when this is not a built Kubewright. */
  keeper: ProcessIdentity | null;
  cli: string;
  /** What `cli` says of its version: the database is this version's, and is opened with the same one where it is found. */
  cliVersion: string | null;
  /** Programs that its starter named; whoever starts it again uses them too. */
  executable: string | null;
  uiExecutable: string | null;
  notice: string | null;
}

export function serverRecords(stateDir: string): SharedRecord<ServerRecord> {
  return new SharedRecord<ServerRecord>(stateDir, 'server.json');
}

/** The record of the running embedded server, or undefined when none runs. Changes nothing. */
export async function serverStatus(stateDir: string): Promise<ServerRecord | undefined> {
  const record = await serverRecords(stateDir).read();
  if (record === undefined || !(await isAlive(record))) return undefined;
  return { ...record, users: await livingUsers(record.users) };
}

/**
 * The record of a server that runs and works on the database that is there, also when its record was lost. Ends one that
 * works on a database that was deleted under it.
 */
export async function runningServer(
  record: ServerRecord | undefined,
  stateDir: string,
): Promise<ServerRecord | undefined> {
  const alive = record !== undefined && (await isAlive(record)) ? record : await findOrphan(stateDir);
  if (alive === undefined || (await hasOpen(alive.pid, databasePath(stateDir)))) return alive;
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
  const beside = { uiPort, ui: null, keeper: null, notice: null };
  const programs = { cli: found.argv[0] ?? 'temporal', cliVersion: null, executable: null, uiExecutable: null };
  return { ...identity, port, users: [], detached: false, ...beside, ...programs };
}

/** Ends server, UI and keeper; never the process that asks. */
export async function stopProcesses({ pid, startTime, ui, keeper }: ServerRecord): Promise<void> {
  const all = [{ pid, startTime }, ui, keeper ?? null];
  const others = all.filter((one) => one !== null && one.pid !== process.pid);
  await Promise.all(others.map((one) => one && terminate(one, STOP_GRACE_MS)));
}

/** A stopped server leaves its ports behind: the next start takes them again, and bookmarks of the UI stay right. */
export function withoutProcesses(record: ServerRecord): ServerRecord {
  return { ...record, pid: 0, startTime: '', ui: null, keeper: null, users: [], detached: false };
}
