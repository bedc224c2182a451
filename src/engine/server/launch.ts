import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, statSync } from 'node:fs';
import { chmod, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Connection } from '@temporalio/client';
import { KubewrightError, messageOf } from '../../errors.js';
import { SEARCH_ATTRIBUTES } from '../../workflows/search-attributes.js';
import { identityOf, type ProcessIdentity } from '../processes/identity.js';
import { answers, LOOPBACK } from './ports.js';

/** A log that has grown past this is started anew. */
const LOG_LIMIT_BYTES = 20 * 1024 * 1024;
/** Three seconds were measured; a loaded machine is given ten times as many. */
const READY_LIMIT_MS = 40_000;
const POLL_MS = 40;

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
  const log = openLog(options.log);
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

function openLog(path: string): number {
  let size = 0;
  try {
    size = statSync(path).size;
  } catch {
    // The first start: there is no log yet.
  }
  return openSync(path, size > LOG_LIMIT_BYTES ? 'w' : 'a', 0o600);
}

/** Arguments of the server. The database's path stands in them, which is how an orphan is recognised. */
export function serverArguments(stateDir: string, port: number, uiPort: number | undefined): string[] {
  const argv = ['server', 'start-dev', '--ip', LOOPBACK, '--port', String(port)];
  argv.push('--db-filename', databasePath(stateDir), '--log-level', 'warn', '--log-format', 'json');
  argv.push(...(uiPort === undefined ? ['--headless'] : ['--ui-ip', LOOPBACK, '--ui-port', String(uiPort)]));
  for (const [name, type] of Object.entries(SEARCH_ATTRIBUTES)) argv.push('--search-attribute', `${name}=${type}`);
  return argv;
}

/**
 * Starts the server on a port and waits until it serves.
 *
 * @throws KubewrightError KW509 when it ends or does not serve in time, with the end of its log
 */
export async function launchServer(
  cli: string,
  stateDir: string,
  port: number,
  uiPort?: number,
): Promise<ProcessIdentity> {
  const log = join(stateDir, 'temporal.log');
  try {
    const { child, identity } = await startDetached(cli, serverArguments(stateDir, port, uiPort), { log });
    await untilServing(port, () => child.exitCode === null && child.signalCode === null);
    // SQLite gives its side files the mode of the database; the directory's 0700 covers the moment before.
    await chmod(databasePath(stateDir), 0o600);
    return identity;
  } catch (cause) {
    throw new KubewrightError('KW509', `The embedded Temporal server did not start: ${messageOf(cause)}`, {
      hint: `Its log is ${log}. \`--address\` uses a Temporal server of yours instead.`,
      output: (await readFile(log, 'utf8').catch(() => '')).split('\n').slice(-15).join('\n'),
      cause,
    });
  }
}

async function untilServing(port: number, runs: () => boolean): Promise<void> {
  const deadline = Date.now() + READY_LIMIT_MS;
  let last: unknown = new Error('it took no connection');
  while (Date.now() < deadline) {
    if (!runs()) throw new Error('its process ended');
    if (await answers(port)) {
      const failure = await probe(port);
      if (failure === undefined) return;
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
