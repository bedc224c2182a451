import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { connect } from '../../src/engine/connect.js';
import { serverStatus, stopServer } from '../../src/engine/embedded-server.js';
import { isAlive } from '../../src/engine/processes/identity.js';
import { stopWorkers, workerStatus } from '../../src/engine/worker-process.js';

const file = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const { TEMPORAL_ADDRESS: _, ...env } = process.env;

let stateDir: string;
beforeEach(async () => {
  stateDir = await mkdtemp(join(tmpdir(), 'kubewright-killed-'));
});
afterEach(async () => {
  await stopWorkers(stateDir);
  await stopServer(stateDir);
  await rm(stateDir, { recursive: true, force: true });
});

/** Starts the client, and waits until its worker and server run. */
async function client(...how: string[]): Promise<ChildProcess> {
  const argv = ['--import', file('./typescript-loader.mjs'), file('./client-child.ts'), stateDir, ...how];
  const child = spawn(process.execPath, argv, {
    env: { ...env, FAKE_BUNDLE: inject('workflowBundle'), FAKE_LOOK: '300' },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  await Promise.race([once(child, 'message'), once(child, 'exit').then(() => Promise.reject(new Error('it ended')))]);
  return child;
}

async function lookedAt(): Promise<number> {
  return (await stat(join(stateDir, 'worker.json'))).ctimeMs;
}

async function whatRuns() {
  const [worker, server] = [await workerStatus({ stateDir }), await serverStatus(stateDir)];
  if (worker === undefined || server === undefined) throw new Error('nothing runs');
  return [worker, server];
}

describe('a client that is killed', () => {
  it.each(['SIGKILL', 'SIGHUP'] as const)('by %s leaves nothing running', async (signal) => {
    const child = await client();
    const left = await whatRuns();
    child.kill(signal);
    await once(child, 'exit');
    for (const one of left) await expect.poll(() => isAlive(one), { timeout: 30_000 }).toBe(false);
    expect(await workerStatus({ stateDir })).toBeUndefined();
    expect(await serverStatus(stateDir)).toBeUndefined();
  });
});

describe('a client that detaches', () => {
  it('leaves both running, and the worker ends with the last install of its queue', async () => {
    await client('detach');
    const [worker, server] = await whatRuns();
    if (worker === undefined || server === undefined) throw new Error('nothing runs');
    const engine = await connect({ env, stateDir });
    const handle = engine.client.workflow.getHandle('open');
    // It touches its record at each look; some looks later it is still there, for the run is open.
    for (let look = 1; look <= 3; look += 1) {
      const before = await lookedAt();
      await expect.poll(lookedAt, { timeout: 20_000 }).toBeGreaterThan(before);
    }
    expect(await isAlive(worker)).toBe(true);
    await handle.terminate('it is over');
    await expect.poll(() => isAlive(worker), { timeout: 30_000 }).toBe(false);
    await engine.close();
    expect(await isAlive(server)).toBe(true);
  });
});
