import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { connect } from '../../src/engine/connect.js';
import { serverStatus, stopServer } from '../../src/engine/embedded-server.js';
import { isAlive } from '../../src/engine/processes/identity.js';
import { watchRun } from '../../src/engine/runs/watch-run.js';
import type { RunSnapshot } from '../../src/engine/types.js';
import { FakeActivities } from './fake-activities.js';
import { groupedPlan, startGrouped, startTest, step, type TestEngine, TestWorker } from './harness.js';

let stateDir: string;
let engine: TestEngine;

beforeEach(async () => {
  stateDir = await mkdtemp(join(tmpdir(), 'kubewright-loss-'));
  const { TEMPORAL_ADDRESS: _, ...env } = process.env;
  engine = { ...(await connect({ env, stateDir, embedded: { ui: false } })), env };
});

afterEach(async () => {
  await engine.close();
  await stopServer(stateDir);
  await rm(stateDir, { recursive: true, force: true });
});

async function killServer(): Promise<void> {
  const record = await serverStatus(stateDir);
  if (record === undefined) throw new Error('no server runs');
  process.kill(record.pid, 'SIGKILL');
  await expect.poll(() => isAlive(record)).toBe(false);
}

/** Holds a loopback port until the test is over. A process may be gone a moment before its sockets are. */
async function take(port: number): Promise<void> {
  const other = createServer();
  onTestFinished(() => void other.close());
  const listens = (): Promise<boolean> =>
    new Promise((resolve) => {
      other.once('error', () => resolve(false));
      other.listen({ host: '127.0.0.1', port }, () => resolve(true));
    });
  await expect.poll(listens, { timeout: 20_000 }).toBe(true);
}

describe('kill -9 of the embedded server in the middle of an install', () => {
  it('is mended by whoever uses it; worker and watcher go on, no step runs twice, none is lost', async () => {
    const fakes = new FakeActivities();
    const gate = fakes.holding('a/one');
    const worker = await TestWorker.start(engine, fakes);
    const { cluster } = await startTest(engine, [step('a/one'), step('b/two', ['a/one']), step('c/three', ['b/two'])]);
    const seen: RunSnapshot[] = [];
    let kills = 0;
    for await (const snapshot of watchRun(engine, cluster.name, { intervalMs: 100 })) {
      seen.push(snapshot);
      if (kills < 2 && snapshot.activities['a/one'] !== undefined) {
        kills += 1;
        await killServer();
        if (kills === 2) gate.release();
      }
    }
    expect(seen.at(-1)).toMatchObject({ status: 'completed', result: { changed: 3 } });
    expect(fakes.triesOf('b/two')).toBe(1);
    expect(seen.every((snapshot) => snapshot.progress.blocked.length === 0)).toBe(true);
    await worker.stop();
  }, 90_000);
});

describe('kill -9 of the embedded server while groups of a run are at work', () => {
  it('root and groups go on; no step is lost, and only what was under way runs twice', async () => {
    const fakes = new FakeActivities();
    const gates = ['w-1/prepare', 'w-3/prepare'].map((id) => fakes.holding(id));
    const worker = await TestWorker.start(engine, fakes);
    const { cluster } = await startGrouped(engine);
    const last: RunSnapshot[] = [];
    let kills = 0;
    for await (const snapshot of watchRun(engine, cluster.name, { intervalMs: 100 })) {
      last[0] = snapshot;
      if (kills === 0 && snapshot.activities['w-1/prepare'] && snapshot.activities['w-3/prepare']) {
        kills += 1;
        await killServer();
        for (const gate of gates) gate.release();
      }
    }
    expect(kills).toBe(1);
    expect(last[0]?.status).toBe('completed');
    expect(last[0]?.progress.steps.every(({ state }) => state === 'done')).toBe(true);
    const others = groupedPlan().filter(({ id }) => !/^w-[13]\/prepare$/.test(id));
    expect(others.filter(({ id }) => fakes.triesOf(id) !== 1).map(({ id }) => id)).toEqual([]);
    await worker.stop();
  }, 120_000);
});

describe('an embedded server whose port is somebody else’s when it comes back', () => {
  it('comes back on another one, and who talks to the old one is told what to do', async () => {
    const { port } = (await serverStatus(stateDir)) ?? { port: 0 };
    await killServer();
    await take(port);
    await expect(engine.server?.revive()).rejects.toMatchObject({
      code: 'KW516',
      hint: expect.stringContaining('Run the command again'),
    });
    const moved = await serverStatus(stateDir);
    expect(moved?.port).not.toBe(port);
  }, 90_000);
});

describe('a server of somebody else that goes away', () => {
  it('is waited for, and said so', async () => {
    const address = engine.server?.address;
    const remote = await connect({ address, env: engine.env, stateDir });
    const { cluster } = await startTest(remote, [step('a/one')]);
    await killServer();
    let worker: Promise<TestWorker> | undefined;
    const said: number[] = [];
    const onUnreachable = (failures: number): void => {
      said.push(failures);
      if (failures === 1) void engine.server?.revive();
      if (failures === 0) worker = TestWorker.start(engine, new FakeActivities());
    };
    const seen: RunSnapshot[] = [];
    for await (const snapshot of watchRun(remote, cluster.name, { onUnreachable })) seen.push(snapshot);
    expect(said[0]).toBe(1);
    expect(said.at(-1)).toBe(0);
    expect(seen.at(-1)?.status).toBe('completed');
    await (await worker)?.stop();
    await remote.close();
  }, 90_000);
});
