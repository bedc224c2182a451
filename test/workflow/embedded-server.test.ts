import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { connect as dial } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
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
    await expect(failure).rejects.toMatchObject({ code: 'KW509', output: expect.stringMatching(/not a database/) });
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
