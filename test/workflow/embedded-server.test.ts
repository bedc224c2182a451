import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { connect as dial } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { connect } from '../../src/engine/connect.js';
import {
  attachServer,
  type EmbeddedServer,
  type ServerRecord,
  serverStatus,
  stopServer,
} from '../../src/engine/embedded-server.js';
import { identityOf, isAlive } from '../../src/engine/processes/identity.js';
import { findServerBinaries } from '../../src/engine/server/binaries.js';

let stateDir: string;
const attach = (options = {}): Promise<EmbeddedServer> => attachServer({ stateDir, ui: false, ...options });

beforeEach(async () => {
  stateDir = await mkdtemp(join(tmpdir(), 'kubewright-server-'));
});

afterEach(async () => {
  await stopServer(stateDir);
  await rm(stateDir, { recursive: true, force: true });
});

async function record(): Promise<ServerRecord> {
  return JSON.parse(await readFile(join(stateDir, 'server.json'), 'utf8')) as ServerRecord;
}

async function killed(): Promise<ServerRecord> {
  const before = await record();
  process.kill(before.pid, 'SIGKILL');
  await expect.poll(() => isAlive(before)).toBe(false);
  return before;
}

describe('the embedded server', () => {
  it('keeps its state for its owner alone, listens on loopback alone, and knows our search attributes', async () => {
    const started = Date.now();
    const server = await attach();
    console.log(`embedded server ready after ${Date.now() - started} ms`);
    const mode = async (name: string): Promise<string> => ((await stat(join(stateDir, name))).mode & 0o777).toString(8);
    expect(await mode('.')).toBe('700');
    expect(await mode('temporal.db')).toBe('600');
    expect(await mode('server.json')).toBe('600');
    expect(await mode('temporal.log')).toBe('600');
    const { port } = await record();
    for (const address of outsideAddresses()) expect(await takesConnections(address, port), address).toBe(false);
    const engine = await connect({ address: server.address, env: {}, stateDir });
    expect(engine.searchAttributes).toBe(true);
    const { config } = await engine.client.workflowService.describeNamespace({ namespace: 'default' });
    expect(Number(config?.workflowExecutionRetentionTtl?.seconds)).toBe(90 * 86_400);
    await engine.close();
  });

  it('is one for all commands, and stops with the last one that leaves', async () => {
    const first = await attach();
    const { pid } = await record();
    const [second, third] = await Promise.all([attach(), attach()]);
    expect([first.started, second.started, third.started]).toEqual([true, false, false]);
    expect((await record()).pid).toBe(pid);

    const other = spawn('sleep', ['60'], { stdio: 'ignore' });
    await once(other, 'spawn');
    const identity = await identityOf(other.pid ?? 0);
    await writeFile(
      join(stateDir, 'server.json'),
      JSON.stringify({ ...(await record()), users: [{ ...identity, use: 'sleep' }] }),
    );
    expect(await first.leave()).toBe('running');
    expect((await serverStatus(stateDir))?.pid).toBe(pid);
    // A command that is killed never says that it leaves.
    other.kill('SIGKILL');
    await once(other, 'exit');
    expect(await first.leave()).toBe('stopped');
    expect(await identityOf(pid)).toBeUndefined();
    expect(await serverStatus(stateDir)).toBeUndefined();
  });

  it('runs on when it was detached, until it is stopped', async () => {
    const server = await attach();
    const before = await record();
    await server.detach();
    expect(await server.leave()).toBe('running');
    expect(await isAlive(before)).toBe(true);
    expect(await stopServer(stateDir)).toBe(true);
    expect(await isAlive(before)).toBe(false);
    expect(await stopServer(stateDir)).toBe(false);
  });

  it('is started again after kill -9, on the same port and database', async () => {
    const server = await attach();
    const engine = await connect({ address: server.address, env: {}, stateDir });
    await engine.client.workflow.start('anything', { taskQueue: 'nobody', workflowId: 'kept' });
    const before = await killed();
    await server.revive();
    const after = await record();
    expect(after.pid).not.toBe(before.pid);
    expect(after.port).toBe(before.port);
    // The connection of before finds it again.
    await expect.poll(() => describeStatus(engine, 'kept'), { timeout: 20_000 }).toBe('RUNNING');
    await engine.close();
  });

  it('is found again when its record was lost', async () => {
    await attach();
    const before = await record();
    await rm(join(stateDir, 'server.json'));
    const again = await attach();
    expect(again.started).toBe(false);
    expect(again.address).toBe(`127.0.0.1:${before.port}`);
    expect((await record()).pid).toBe(before.pid);
  });

  it('is replaced when its database was deleted under it, also together with its record', async () => {
    await attach();
    const before = await record();
    await rm(stateDir, { recursive: true });
    const again = await attach();
    expect(again.started).toBe(true);
    expect(await isAlive(before)).toBe(false);
    expect((await stat(join(stateDir, 'temporal.db'))).size).toBeGreaterThan(0);
  });

  it('is not taken for another process that has its pid now', async () => {
    await attach();
    const before = await killed();
    const self = { ...before, pid: process.pid, startTime: 'of another boot' };
    await writeFile(join(stateDir, 'server.json'), JSON.stringify(self));
    expect(await stopServer(stateDir)).toBe(false);
    expect((await attach()).started).toBe(true);
  });

  it('goes on from a record that is half a file', async () => {
    await attach();
    await writeFile(join(stateDir, 'server.json'), '{"pid": 12');
    expect((await attach()).started).toBe(false);
  });

  it('brings a UI that has the buttons for activities, on loopback', async () => {
    const server = await attach({ ui: true });
    const response = await fetch(`${server.uiUrl}/api/v1/settings`);
    const { Version } = (await response.json()) as { Version: string };
    const [major, minor] = Version.split('.').map(Number);
    expect((major ?? 0) * 1000 + (minor ?? 0)).toBeGreaterThanOrEqual(2047);
    const { ui, uiPort } = await record();
    for (const address of outsideAddresses()) expect(await takesConnections(address, uiPort ?? 0)).toBe(false);
    expect(await server.leave()).toBe('stopped');
    expect(ui !== null && (await isAlive(ui))).toBe(false);
  });
});

describe('an embedded server that is stopped on purpose', () => {
  it('is not started again by those who use it; they are told who did it, and a later command starts it', async () => {
    const server = await attach();
    const before = await record();
    const drained: boolean[] = [];
    // While workers drain the server still answers, and whoever asks knows already.
    const drain = async () => {
      drained.push(await isAlive(before));
      await expect(server.revive()).rejects.toMatchObject({ code: 'KW518' });
    };
    expect(await stopServer(stateDir, { by: 'anna@desk', drain })).toBe(true);
    expect(drained).toEqual([true]);
    const told = { code: 'KW518', message: expect.stringContaining('anna@desk') };
    await expect(server.revive()).rejects.toMatchObject(told);
    expect(await server.leave()).toBe('stopped');
    await expect(server.revive()).rejects.toMatchObject(told);
    expect(await serverStatus(stateDir)).toBeUndefined();
    const again = await attach();
    expect(again.started).toBe(true);
    await again.revive();
  });

  it('counts as stopped by that command also when its last worker ended it meanwhile', async () => {
    const server = await attach();
    expect(await stopServer(stateDir, { drain: () => server.leave() })).toBe(true);
    expect(await stopServer(stateDir)).toBe(false);
  });
});

describe('the keeper of an embedded server', () => {
  const keeper = {
    program: fileURLToPath(new URL('../../src/engine/server/keeper.ts', import.meta.url)),
    nodeOptions: ['--import', fileURLToPath(new URL('./typescript-loader.mjs', import.meta.url))],
    lookMs: 200,
  };

  it('stops server and UI when every user was killed, and ends', async () => {
    await attach({ ui: true, keeper });
    const before = await record();
    const user = spawn('sleep', ['60'], { stdio: 'ignore' });
    await once(user, 'spawn');
    const identity = await identityOf(user.pid ?? 0);
    await writeFile(join(stateDir, 'server.json'), JSON.stringify({ ...before, users: [{ ...identity, use: 'x' }] }));
    const looked = async () => (await stat(join(stateDir, 'server.json'))).mtimeMs;
    const written = await looked();
    // It has looked, and nothing has happened: there is a user.
    await expect.poll(looked, { timeout: 20_000 }).toBeGreaterThan(written);
    expect(await isAlive(before)).toBe(true);
    user.kill('SIGKILL');
    for (const one of [before, before.ui, before.keeper]) {
      if (one === null) throw new Error('it was not started');
      await expect.poll(() => isAlive(one), { timeout: 20_000 }).toBe(false);
    }
    expect(await record()).toMatchObject({ pid: 0, port: before.port, users: [] });
  });

  it('leaves one alone that was detached, and ends with it', async () => {
    const server = await attach({ keeper });
    await server.detach();
    await server.leave();
    const before = await record();
    const looked = async () => (await stat(join(stateDir, 'server.json'))).mtimeMs;
    const written = await looked();
    await expect.poll(looked, { timeout: 20_000 }).toBeGreaterThan(written);
    expect(await isAlive(before)).toBe(true);
    await stopServer(stateDir);
    if (before.keeper === null) throw new Error('it was not started');
    expect(await isAlive(before.keeper)).toBe(false);
  });
});

describe('an embedded server whose port is taken between the look and the start', () => {
  it('is started on another one', async () => {
    const { cli } = await findServerBinaries();
    const executable = join(stateDir, 'temporal');
    // The first start finds its port taken, in the words of the real one.
    const taken = 'echo "unable to start: listen tcp 127.0.0.1:1: bind: address already in use"; exit 1';
    const script = `case "$1" in server) [ -e "$0.tried" ] || { echo "$@" > "$0.tried"; ${taken}; };; esac; exec '${cli}' "$@"`;
    await writeFile(executable, `#!/bin/sh\n${script}\n`);
    await chmod(executable, 0o755);
    const server = await attach({ executable });
    expect(await readFile(`${executable}.tried`, 'utf8')).toContain('start-dev');
    expect(await readFile(`${executable}.tried`, 'utf8')).not.toContain(`--port ${server.address.split(':')[1]} `);
  });
});

describe('an embedded server that is given up', () => {
  it('is left by the first Ctrl-C while it starts, with no process of it', async () => {
    const executable = join(stateDir, 'temporal');
    const says = 'temporal version 1.5.1 (Server 1.29.1, UI 2.50.0)';
    const hangs = `echo $$ > "$0.pid"; exec sleep 60`;
    await writeFile(executable, `#!/bin/sh\ncase "$1" in server) ${hangs};; *) echo '${says}';; esac\n`);
    await chmod(executable, 0o755);
    const stopping = new AbortController();
    const connecting = connect({ env: {}, stateDir, embedded: { executable, ui: false }, signal: stopping.signal });
    const given = connecting.catch((error: unknown) => error);
    const pid = async () => Number(await readFile(`${executable}.pid`, 'utf8').catch(() => '0'));
    await expect.poll(pid).toBeGreaterThan(0);
    stopping.abort(new Error('Ctrl-C'));
    expect(await given).toMatchObject({ message: 'Ctrl-C' });
    await expect.poll(async () => identityOf(await pid())).toBeUndefined();
    await expect.poll(() => serverStatus(stateDir)).toBeUndefined();
  });

  it('is left while its program is fetched, whoever is slow there', async () => {
    const executable = join(stateDir, 'temporal');
    await writeFile(executable, `#!/bin/sh\nsleep 8\n`);
    await chmod(executable, 0o755);
    const signal = AbortSignal.abort(new Error('Ctrl-C'));
    await expect(connect({ env: {}, stateDir, embedded: { executable }, signal })).rejects.toThrow('Ctrl-C');
  });
});

describe('an embedded server that cannot start', () => {
  it('says which program cannot be used', async () => {
    const executable = join(stateDir, 'temporal');
    await writeFile(executable, '#!/bin/sh\necho "temporal version 0.9.0 (Server 1.20.0, UI 2.9.0)"\n');
    await chmod(executable, 0o755);
    await expect(attach({ executable })).rejects.toMatchObject({
      code: 'KW508',
      message: expect.stringContaining('1.20.0'),
    });
    await expect(attach({ executable: '/nowhere/temporal' })).rejects.toMatchObject({ code: 'KW508' });
  });

  it('shows the end of its log', async () => {
    await writeFile(join(stateDir, 'temporal.db'), 'this is no database, and it is longer than a header of SQLite');
    const failure = attach();
    const safe = expect.stringMatching(/move \S+temporal\.db\* to another place and try again: that is safe/);
    const told = { code: 'KW509', hint: safe, output: expect.stringMatching(/not a database/) };
    await expect(failure).rejects.toMatchObject(told);
    await rename(join(stateDir, 'temporal.db'), join(stateDir, 'aside.db'));
    expect((await attach()).started).toBe(true);
  });
});

async function describeStatus(engine: Awaited<ReturnType<typeof connect>>, id: string): Promise<string> {
  const description = await engine.client.workflow
    .getHandle(id)
    .describe()
    .catch(() => undefined);
  return description?.status.name ?? 'no answer';
}

function outsideAddresses(): string[] {
  const all = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  return all.filter((one) => !one.internal && one.family === 'IPv4').map((one) => one.address);
}

function takesConnections(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = dial({ host, port, timeout: 1_000 });
    for (const [event, up] of [
      ['connect', true],
      ['error', false],
      ['timeout', false],
    ] as const) {
      socket.once(event, () => {
        socket.destroy();
        resolve(up);
      });
    }
  });
}
