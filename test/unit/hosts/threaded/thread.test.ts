import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import ssh2 from 'ssh2';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { openConnections } from '../../../../src/hosts/connection/open.js';
import { SshThread } from '../../../../src/hosts/connection/threaded/ssh-thread.js';
import type { Connection } from '../../../../src/hosts/connection/types.js';
import { makeSshThread } from '../../../../src/hosts/index.js';
import { eventually } from '../../eventually.js';
import { serve, useServers, where } from '../served.js';
import type { SshServer } from '../ssh-server.js';
import { builtThread } from './built.js';
import { targetOf } from './forms.js';

useServers();
const BUILT = await builtThread();

const threads: SshThread[] = [];
afterEach(async () => {
  await Promise.all(threads.splice(0).map((thread) => thread.close()));
  vi.restoreAllMocks();
});

const isLost = (why: RegExp) => ({
  name: 'KubewrightError',
  code: 'KW203',
  host: 'cp-1',
  transient: true,
  message: expect.stringMatching(why),
});

/** A thread that dies on demand, and a connection in it. */
async function mortal(): Promise<{ thread: SshThread; server: SshServer; connection: Connection }> {
  const server = await serve();
  const thread = new SshThread({
    url: new URL('./mortal.mjs', BUILT),
    resourceLimits: { maxOldGenerationSizeMb: 64 },
    pingMs: 1000,
  });
  threads.push(thread);
  const connection = thread.pool((line) => where.log.push(line)).connection(targetOf(server.port));
  return { thread, server, connection };
}

/** Runs a command to its end. */
async function run(connection: Connection, command: string): Promise<{ stdout: string; code: unknown }> {
  const { channel } = await connection.exec(command);
  let stdout = '';
  channel.on('data', (chunk: Buffer) => {
    stdout += chunk;
  });
  channel.stderr.resume();
  channel.end();
  const code = await new Promise((resolve) => channel.once('close', resolve));
  return { stdout, code };
}

test('is not started from files that an update has put in the place of its own', async () => {
  const server = await serve();
  const thread = new SshThread({ url: new URL('./program.js', BUILT), build: '0.0.1+0123456ab' });
  threads.push(thread);
  const connection = thread.pool((line) => where.log.push(line)).connection(targetOf(server.port));
  await expect(connection.ready()).rejects.toMatchObject(
    isLost(/the files of kubewright 0\.0\.1\+0123456ab are now those of .*: start the worker anew/),
  );
});

describe('a thread that dies', () => {
  test.each([
    ['of a bug', 'a bug', /the thread of the SSH connections ended \(a bug in a library\)/],
    ['without a word', 'exit', /the thread of the SSH connections ended \(exit code 3\)/],
    ['by being stuck', 'loop', /the thread of the SSH connections ended \(it did not answer any more\)/],
    ['for want of memory', 'memory', /the thread of the SSH connections ended \(.*memory limit/],
  ])('%s loses its connections, says why, and the next use has a new one', async (_title, how, why) => {
    const warn = vi.spyOn(process, 'emitWarning').mockReturnValue(undefined);
    const { connection, server } = await mortal();
    const { channel, live } = await connection.exec('echo begun; sleep 60');
    const closed = new Promise((resolve) => channel.once('close', (...end: unknown[]) => resolve(end)));
    await new Promise((resolve) => channel.once('data', resolve));
    channel.resume();
    expect(openConnections()).toBe(1);
    await expect(connection.exec(`die: ${how}`)).rejects.toMatchObject(isLost(why));
    expect(await closed).toEqual([undefined, undefined]);
    expect(live.lost).toMatch(why);
    expect(openConnections()).toBe(0);
    expect(where.log).toEqual([expect.stringMatching(why)]);
    expect(warn.mock.calls.map(([text]) => text)).toEqual(how === 'exit' ? [] : [expect.stringMatching(why)]);
    expect(await run(connection, 'echo again')).toEqual({ stdout: 'again\n', code: 0 });
    expect(server.accepted).toBe(2);
    expect(await connection.ready()).not.toBe(live);
  });

  test('loses what is asked of it while it starts', async () => {
    const thread = new SshThread({ url: new URL('./not-there.mjs', BUILT) });
    threads.push(thread);
    vi.spyOn(process, 'emitWarning').mockReturnValue(undefined);
    const connection = thread.pool(() => undefined).connection(targetOf((await serve()).port));
    await expect(connection.ready()).rejects.toMatchObject(isLost(/not-there\.mjs/));
  });
});

test('a thread that cannot be started is trouble that may heal', async () => {
  const thread = new SshThread({ url: new URL('https://127.0.0.1/program.js') });
  const connection = thread.pool(() => undefined).connection(targetOf(22));
  await expect(connection.exec('true')).rejects.toMatchObject(isLost(/no thread for SSH connections could be started/));
});

describe('closing', () => {
  test('ends the connections of one pool and leaves those of others', async () => {
    const { thread, server, connection } = await mortal();
    const pool = thread.pool(() => undefined);
    const other = pool.connection(targetOf(server.port));
    expect(await run(connection, 'echo one')).toMatchObject({ code: 0 });
    expect(await run(other, 'echo two')).toMatchObject({ code: 0 });
    expect(openConnections()).toBe(2);
    await pool.close();
    await eventually(() => server.connections.size === 1, 'one connection is left');
    expect(openConnections()).toBe(1);
    await expect(other.exec('true')).rejects.toMatchObject(isLost(/closed by Kubewright/));
    expect(await run(connection, 'echo still')).toMatchObject({ stdout: 'still\n' });
    await connection.close();
    await eventually(() => server.connections.size === 0, 'none is left');
  });

  test('the thread lets go of whoever waits, and of what nobody has closed', async () => {
    const { thread, server, connection } = await mortal();
    const { channel } = await connection.exec('echo begun; sleep 60');
    const closed = new Promise((resolve) => channel.once('close', resolve));
    channel.resume();
    const waiting = connection.exec('true').catch((error: unknown) => error);
    await thread.close();
    expect(await waiting).toMatchObject(isLost(/Kubewright closed it/));
    expect(await closed).toBeUndefined();
    await eventually(() => server.connections.size === 0, 'none is left');
    expect(where.log).toEqual([]);
  });

  test('of a thread that was never needed starts none', async () => {
    const { thread, connection } = await mortal();
    await connection.close();
    await thread.pool(() => undefined).close();
    await thread.close();
    expect(openConnections()).toBe(0);
  });
});

test('no handshake runs in the calling thread', async () => {
  const { connection } = await mortal();
  const connect = vi.spyOn(ssh2.Client.prototype, 'connect');
  expect(await run(connection, 'echo there')).toEqual({ stdout: 'there\n', code: 0 });
  expect(connect).not.toHaveBeenCalled();
});

test('a process waits for its command, and not for a thread that it did not close', async () => {
  const server = await serve();
  const program = fileURLToPath(new URL('./unclosed.mjs', BUILT));
  const { stdout } = await execa(process.execPath, [program, JSON.stringify(targetOf(server.port))]);
  expect(stdout).toBe('waited');
});

test('sources alone start no thread: connections stay in the thread that uses them', () => {
  expect(makeSshThread()).toBeUndefined();
});
