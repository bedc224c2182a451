import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, inject, it, onTestFinished } from 'vitest';
import { makeFakeCluster } from '../../bench/scale/fake-hosts/cluster-file.js';
import { checkNow } from '../../src/engine/runs/checks.js';
import { startRun } from '../../src/engine/runs/start-run.js';
import { describeRun } from '../../src/engine/runs/watch-run.js';
import { prepareInstall } from '../../src/prepare-run.js';
import { runWorker } from '../../src/worker.js';
import { closed, testEngine } from './harness.js';

const LOADER = ['--import', new URL('./typescript-loader.mjs', import.meta.url).href];

/** Real steps over real SSH against the fake hosts of `npm run bench:scale`: a step that asks something new shows here. */
it('the fake hosts answer every step of an install and of a health check, and say so where they do not', {
  timeout: 300_000,
}, async () => {
  const directory = await mkdtemp(join(tmpdir(), 'kubewright-fake-hosts-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const name = `fakes-${process.pid}`;
  const made = await makeFakeCluster({ directory, name, controlPlanes: 3, workers: 2, pace: 0.02, loader: LOADER });
  onTestFinished(() => made.hosts.stop());
  const engine = await testEngine({ HOME: directory });
  onTestFinished(() => engine.close());
  const stopping = new AbortController();
  const bundle = { workflowBundle: inject('workflowBundle'), stateDir: engine.stateDir };
  const worker = runWorker({ env: engine.env, ...bundle, signal: stopping.signal });
  onTestFinished(async () => {
    stopping.abort();
    await worker;
  });

  await startRun(engine, prepareInstall(made.cluster));
  const end = await Promise.race([untilStill(), worker]);
  expect(await made.hosts.unknown()).toEqual([]);
  expect(end?.progress.blocked.map(({ step, message, output }) => ({ step, message, output }))).toEqual([]);
  expect(end?.progress.steps.every(({ state }) => state === 'done')).toBe(true);

  const report = await Promise.race([checkNow(engine, made.cluster), worker]);
  expect(await made.hosts.unknown()).toEqual([]);
  expect(report).toMatchObject({ findings: [] });

  /** Until it has ended, or cannot go on by itself. */
  async function untilStill() {
    for (;;) {
      const now = await describeRun(engine, name);
      const isStill = now.progress.blocked.length > 0 && now.progress.steps.every(({ state }) => state !== 'running');
      if (closed(now) || isStill || (await made.hosts.unknown()).length > 0) return now;
      await new Promise((resolve) => setTimeout(resolve, 1_000));
    }
  }
});
