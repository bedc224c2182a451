import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { FakeActivities } from './fake-activities.js';
import { type TestEngine, TestWorker, testEngine } from './harness.js';

/** As the worker's container in deploy/compose/ has it; it runs what the build has made. */
const HEALTH_CHECK = fileURLToPath(new URL('../../deploy/compose/worker-health.mjs', import.meta.url));

let engine: TestEngine;

beforeAll(async () => {
  engine = await testEngine();
});

afterAll(() => engine.close());

async function health(): Promise<{ exitCode: number | undefined; stdout: string }> {
  const { exitCode, stdout } = await execa('node', [HEALTH_CHECK], { env: engine.env, reject: false });
  return { exitCode, stdout };
}

it("the health check of a team's worker tells a worker from none", async () => {
  expect(await health()).toMatchObject({ exitCode: 1, stdout: expect.stringContaining('asks for work') });
  const worker = await TestWorker.start(engine, new FakeActivities());
  await expect.poll(health, { timeout: 60_000, interval: 500 }).toMatchObject({ exitCode: 0 });
  await worker.stop();
}, 120_000);
