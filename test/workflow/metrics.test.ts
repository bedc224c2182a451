import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, inject, it, onTestFinished } from 'vitest';
import { freePort } from '../../src/engine/server/ports.js';
import { ensureWorker } from '../../src/engine/worker-process.js';
import { testEngine } from './harness.js';

it('a worker serves its metrics in Prometheus’ form where it is told to', async () => {
  const stateDir = await mkdtemp(join(tmpdir(), 'kubewright-metrics-'));
  onTestFinished(() => rm(stateDir, { recursive: true, force: true }));
  const engine = { ...(await testEngine()), stateDir };
  onTestFinished(() => engine.close());
  const address = `127.0.0.1:${await freePort()}`;
  const worker = await ensureWorker(engine, {
    env: { ...engine.env, FAKE_BUNDLE: inject('workflowBundle'), KUBEWRIGHT_METRICS: address },
    program: fileURLToPath(new URL('./worker-child.ts', import.meta.url)),
    nodeOptions: ['--import', fileURLToPath(new URL('./typescript-loader.mjs', import.meta.url))],
  });
  onTestFinished(async () => void (await worker.leave()));
  const metrics = async () => (await fetch(`http://${address}/metrics`)).text();
  await expect
    .poll(metrics)
    .toMatch(new RegExp(`temporal_worker_task_slots_available\\{.*task_queue="${engine.taskQueue}"`));
});
