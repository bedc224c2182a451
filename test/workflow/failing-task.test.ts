import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { decide, endRun } from '../../src/engine/runs/decide.js';
import { describeRun } from '../../src/engine/runs/watch-run.js';
import { FakeActivities } from './fake-activities.js';
import { closed, startTest, step, type TestEngine, TestWorker, testEngine, until } from './harness.js';

let engine: TestEngine;
let directory: string;
let broken: string;

// Workflow code that fails at its task, as that of another version does at a run it cannot replay.
beforeAll(async () => {
  engine = await testEngine();
  directory = await mkdtemp(join(tmpdir(), 'kubewright-bundle-'));
  broken = join(directory, 'workflow-bundle.js');
  const code = await readFile(inject('workflowBundle'), 'utf8');
  const failing = code.replace(
    'activityId: step.id,',
    "activityId: (() => { throw new Error('another version'); })(),",
  );
  expect(failing).not.toBe(code);
  await writeFile(broken, failing);
});

afterAll(async () => {
  await engine.close();
  await rm(directory, { recursive: true, force: true });
});

it('a worker that fails at a run is reported as that, with the cause; with a right one the run goes on', async () => {
  const fakes = new FakeActivities();
  const worker = await TestWorker.start(engine, fakes, broken);
  const { cluster } = await startTest(engine, [step('a/one')]);
  const failing = await until(engine, cluster.name, (now) => now.taskFailure !== undefined);
  expect(failing).toMatchObject({ status: 'running', source: 'history', taskFailure: 'another version' });
  expect(failing.taskAttempts).toBeGreaterThan(2);
  const outcome = await decide(engine, cluster.name, 'retry', { step: 'a/one' });
  expect(outcome).toMatchObject({ via: 'signal', failing: 'another version' });
  expect(outcome.message).not.toContain('No worker');
  await worker.stop();
  const right = await TestWorker.start(engine, fakes);
  const end = await until(engine, cluster.name, closed);
  expect(end.status).toBe('completed');
  expect(end.taskFailure).toBeUndefined();
  await right.stop();
}, 120_000);

it('a run that nobody can carry on is ended by force, and its name is free', async () => {
  const { cluster, runId } = await startTest(engine, [step('a/one')]);
  await endRun(engine, cluster.name, 'its version is gone');
  const end = await describeRun(engine, cluster.name);
  expect(end).toMatchObject({ status: 'terminated', failure: { code: 'KW522' } });
  await expect(endRun(engine, cluster.name, undefined)).rejects.toMatchObject({ code: 'KW811' });
  expect(end.runId).toBe(runId);
});
