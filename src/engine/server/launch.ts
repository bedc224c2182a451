import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { chmod, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Connection } from '@temporalio/client';
import { KubewrightError, messageOf } from '../../errors.js';
import { SEARCH_ATTRIBUTES } from '../../workflows/engine/search-attributes.js';
import { identityOf, type ProcessIdentity } from '../processes/identity.js';
import { rotateLog } from '../processes/logs.js';
import { terminate } from '../processes/terminate.js';
import { answers, LOOPBACK } from './ports.js';

/** Three seconds were measured; a loaded machine is given ten times as many. */
const READY_LIMIT_MS = 40_000;
const POLL_MS = 40;
/** For a server that has no work yet. */
const ABORT_GRACE_MS = 2_000;

export function databasePath(stateDir: string): string {
  return join(stateDir, 'temporal.db');
}

/**
 * Starts a program that outlives this one: in a process group of its own, for a terminal's Ctrl-C reaches every process
 * of the group and would kill the server before the worker has drained. Its output goes to a file in the state
 * directory.
 */
export async function startDetached(
  program: string,
  argv: string[],
  options: { log: string },
): Promise<{ child: ChildProcess; identity: ProcessIdentity }> {
  await rotateLog(options.log);
  const log = openSync(options.log, 'a', 0o600);
  const child = spawn(program, argv, { detached: true, stdio: ['ignore', log, log], env: bareEnvironment() });
  closeSync(log);
  await once(child, 'spawn');
  child.unref();
  const identity = await identityOf(child.pid ?? 0);
  if (identity === undefined) throw new Error(`${program} ended at once; see ${options.log}`);
  return { child, identity };
}

/** Neither the server nor its UI needs the user's environment, which may hold sudo passwords and API keys. */
function bareEnvironment(): NodeJS.ProcessEnv {
  const { PATH, HOME, TMPDIR, TZ } = process.env;
  return { PATH, HOME, TMPDIR, TZ };
}

/**
 * One write to the disk for each transaction instead of three: with SQLite's rollback journal every step, heartbeat and answer of
 * a large run waits in line for it. `synchronous` stays full, so that what was committed survives a power loss (sqlite.org/wal.html).
 */
const PRAGMAS = ['journal_mode=wal', 'synchronous=full'];

/**
 * A run that continues as new within a second of its start waits for the rest of that second, by default, so that no workflow spins. A
 * health check does so once, when it is planned, and nothing of Kubewright spins.
 */
const DYNAMIC_CONFIG = ['history.workflowIdReuseMinimalInterval="0s"'];

/** Arguments of the server. The database's path stands in them, which is how an orphan is recognised. */
export function serverArguments(stateDir: string, port: number, uiPort: number | undefined): string[] {
  const argv = ['server', 'start-dev', '--ip', LOOPBACK, '--port', String(port)];
  argv.push('--db-filename', databasePath(stateDir), '--log-level', 'warn', '--log-format', 'json');
  for (const pragma of PRAGMAS) argv.push('--sqlite-pragma', pragma);
  for (const value of DYNAMIC_CONFIG) argv.push('--dynamic-config-value', value);
  argv.push(...(uiPort === undefined ? ['--headless'] : ['--ui-ip', LOOPBACK, '--ui-port', String(uiPort)]));
  for (const [name, type] of Object.entries(SEARCH_ATTRIBUTES)) argv.push('--search-attribute', `${name}=${type}`);
  return argv;
}

/**
 * Starts the server on a port and waits until it serves.
 *
 * @param ports the UI's only where the server brings it itself
 * @throws KubewrightError KW509 when it ends or does not serve in time, with what it logged; the signal's reason when it was
 * aborted
 */
export async function launchServer(
  cli: string,
  stateDir: string,
  ports: { server: number; ui: number | undefined },
  signal?: AbortSignal,
): Promise<ProcessIdentity> {
  const log = join(stateDir, 'temporal.log');
  const logged = await sizeOf(log);
  try {
    const { child, identity } = await startDetached(cli, serverArguments(stateDir, ports.server, ports.ui), { log });
    try {
      await untilServing(ports.server, () => child.exitCode === null && child.signalCode === null, signal);
    } catch (error) {
      await terminate(identity, ABORT_GRACE_MS);
      throw error;
    }
    // SQLite gives its side files the mode of the database; the directory's 0700 covers the moment before.
    await chmod(databasePath(stateDir), 0o600);
    return identity;
  } catch (cause) {
    signal?.throwIfAborted();
    throw notStarted(stateDir, cause, await logSince(log, logged));
  }
}

function notStarted(stateDir: string, cause: unknown, output: string): KubewrightError {
  return new KubewrightError('KW509', `The embedded Temporal server did not start: ${messageOf(cause)}`, {
    hint:
      `Its log is ${join(stateDir, 'temporal.log')}. If it is about the database, move ${databasePath(stateDir)}* to another ` +
      'place and try again: that is safe. The hosts are the truth, `install` reads from them what is done; only the ' +
      'history of earlier runs is away meanwhile. `--address` uses a Temporal server of yours instead.',
    output,
    cause,
  });
}

async function sizeOf(path: string): Promise<number> {
  return stat(path).then(
    ({ size }) => size,
    () => 0,
  );
}

/** The last lines that this start has logged; a log that was rotated meanwhile is shorter than before. */
async function logSince(path: string, before: number): Promise<string> {
  const text = await readFile(path).catch(() => Buffer.alloc(0));
  const since = text.length >= before ? text.subarray(before) : text;
  return since.toString('utf8').split('\n').slice(-15).join('\n');
}

async function untilServing(port: number, runs: () => boolean, signal: AbortSignal | undefined): Promise<void> {
  const deadline = Date.now() + READY_LIMIT_MS;
  let last: unknown = new Error('it took no connection');
  while (Date.now() < deadline) {
    signal?.throwIfAborted();
    if (!runs()) throw new Error('its process ended');
    if (await answers(port)) {
      const failure = await probe(port);
      // Its own, and not that of somebody who took the port a moment before it.
      if (failure === undefined && runs()) return;
      last = failure;
    }
    await sleep(POLL_MS);
  }
  throw new Error(`it does not serve after ${READY_LIMIT_MS / 1000} s: ${messageOf(last)}`);
}

/** A connection of its own each time: one that has failed waits a second before it tries again. */
async function probe(port: number): Promise<unknown> {
  try {
    const connection = await Connection.connect({ address: `${LOOPBACK}:${port}`, connectTimeout: 2_000 });
    try {
      await connection.workflowService.describeNamespace({ namespace: 'default' });
    } finally {
      await connection.close();
    }
    return undefined;
  } catch (error) {
    return error;
  }
}
