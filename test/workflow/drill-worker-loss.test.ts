import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { startRun } from '../../src/engine/runs/start-run.js';
import { ensureWorker, stopWorker, type WorkerProcess } from '../../src/engine/worker-process.js';
import { planDrill } from '../../src/plan/drill.js';
import { prepareRun } from '../../src/prepare-run.js';
import { askingIn, brokenIn, MEASURED, STEPS } from './fake-drill.js';
import { closed, type TestEngine, testCluster, testEngine, until } from './harness.js';

const LOADER = fileURLToPath(new URL('./typescript-loader.mjs', import.meta.url));
const CHILD = fileURLToPath(new URL('./worker-child.ts', import.meta.url));

let directory: string;
let engine: TestEngine;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'kubewright-drill-worker-'));
  engine = { ...(await testEngine()), stateDir: directory };
});

afterEach(async () => {
  await stopWorker(engine);
  await engine.close();
  await rm(directory, { recursive: true, force: true });
});

function startChild(hold: string): Promise<WorkerProcess> {
  const fake = { FAKE_DRILL: directory, FAKE_HOLD: hold, FAKE_LOG: join(directory, 'tries') };
  const env = { ...engine.env, ...fake, FAKE_BUNDLE: inject('workflowBundle') };
  return ensureWorker(engine, { env, program: CHILD, nodeOptions: ['--import', LOADER] });
}

async function tries(step: string): Promise<number> {
  const text = await readFile(join(directory, 'tries'), 'utf8').catch(() => '');
  return text.split('\n').filter((line) => line.startsWith(`${step} `)).length;
}

describe('a drill whose worker is killed', () => {
  it.each(STEPS)(
    'within %s is carried on by the next one: measured, put back, nothing left',
    async (step) => {
      const worker = await startChild(step);
      const cluster = testCluster();
      const run = prepareRun('drill', cluster, planDrill(cluster, { only: ['balancer'] }));
      await startRun(engine, run);
      await expect.poll(() => tries(step), { timeout: 40_000 }).toBe(1);
      process.kill(worker.pid, 'SIGKILL');
      // What was done by then stays: nobody was there to undo it.
      expect(askingIn(directory)).toBe(true);
      expect(brokenIn(directory)).toBe(['break', 'watch', 'restore'].some((verb) => step.endsWith(`-${verb}`)));
      await expect.poll(() => worker.revive(), { timeout: 20_000 }).toBe(true);
      const end = await until(engine, cluster.name, closed);
      expect(end.status).toBe('completed');
      expect(end.result?.drill).toMatchObject({ scenarios: [MEASURED] });
      expect(end.result?.drill).not.toHaveProperty('problems');
      expect([brokenIn(directory), askingIn(directory)]).toEqual([false, false]);
      expect(await tries(step)).toBeGreaterThan(1);
    },
    120_000,
  );
});
