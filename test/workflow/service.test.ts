import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, inject, it, onTestFinished } from 'vitest';
import { connect } from '../../src/engine/connect.js';
import { attachServer, serverStatus, stopServer } from '../../src/engine/embedded-server.js';
import { isAlive } from '../../src/engine/processes/identity.js';
import { latestReport } from '../../src/engine/runs/checks.js';
import { listHealthSchedules, scheduleHealth } from '../../src/engine/schedules.js';
import { serviceRecord } from '../../src/engine/service/record.js';
import { testCluster } from './harness.js';

const file = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const { TEMPORAL_ADDRESS: _, ...bare } = process.env;

let stateDir: string;
beforeEach(async () => {
  stateDir = await mkdtemp(join(tmpdir(), 'kubewright-service-'));
});
afterEach(async () => {
  await stopServer(stateDir);
  await rm(stateDir, { recursive: true, force: true });
});

interface Service {
  child: ChildProcess;
  said: () => string;
  ended: Promise<number | null>;
}

/** Starts `server run`, whose worker has fake activities. */
function start(env: NodeJS.ProcessEnv = {}): Service {
  const argv = ['--import', file('./typescript-loader.mjs'), file('./service-child.ts'), stateDir];
  const child = spawn(process.execPath, argv, {
    env: { ...bare, FAKE_BUNDLE: inject('workflowBundle'), ...env },
    stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
  });
  let said = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    said += chunk.toString('utf8');
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  return { child, said: () => said, ended: once(child, 'exit').then(([code]) => code as number | null) };
}

async function ready({ child, ended, said }: Service): Promise<void> {
  await Promise.race([
    once(child, 'message'),
    ended.then((code) => Promise.reject(new Error(`it ended with ${code}: ${said()}`))),
  ]);
}

const terminal = () => connect({ env: bare, stateDir, embedded: { ui: false } });

describe('server run', { timeout: 180_000 }, () => {
  it('carries out scheduled checks, ends in order on SIGTERM, and goes on with the same clusters the next time', async () => {
    const first = start();
    await ready(first);
    const cluster = testCluster();
    const { name } = cluster;
    const engine = await terminal();
    const server = await serverStatus(stateDir);
    if (server === undefined) throw new Error('no server runs');
    await scheduleHealth(engine, cluster, 10_000);
    await expect
      .poll(() => latestReport(engine, name), { timeout: 40_000, interval: 500 })
      .toMatchObject({
        verdict: 'ok',
      });
    const report = await latestReport(engine, name);
    // A terminal that uses the server is no reason to stay.
    first.child.kill('SIGTERM');
    expect(await first.ended, first.said()).toBe(0);
    expect(await isAlive(server)).toBe(false);
    expect(await serviceRecord(stateDir)).toBeUndefined();
    await engine.close();

    const second = start();
    await ready(second);
    const later = await terminal();
    expect(await listHealthSchedules(later)).toMatchObject([{ cluster: name, everyMs: 10_000, paused: false }]);
    await expect
      .poll(async () => (await latestReport(later, name))?.at, { timeout: 60_000, interval: 500 })
      .toBeGreaterThan(report?.at ?? Number.NaN);
    await later.close();
    second.child.kill('SIGTERM');
    expect(await second.ended, second.said()).toBe(0);
  });

  it('uses a server that runs already, is the only one for its data, and starts a server again that dies', async () => {
    const before = await attachServer({ stateDir, ui: false });
    const service = start();
    await ready(service);
    const server = await serverStatus(stateDir);
    expect(before.started).toBe(true);
    expect(await serviceRecord(stateDir)).toMatchObject({ pid: service.child.pid, queue: 'kubewright' });
    const other = start();
    expect(await other.ended).toBe(1);
    expect(other.said()).toContain('runs already');
    await before.leave();
    if (server === undefined) throw new Error('no server runs');
    process.kill(server.pid, 'SIGKILL');
    await expect
      .poll(async () => (await serverStatus(stateDir))?.pid ?? server.pid, { timeout: 30_000 })
      .not.toBe(server.pid);
    expect(service.child.exitCode).toBeNull();
    service.child.kill('SIGTERM');
    expect(await service.ended, service.said()).toBe(0);
    expect(await serverStatus(stateDir)).toBeUndefined();
  });
});
