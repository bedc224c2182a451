import { randomUUID } from 'node:crypto';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import Long from 'long';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BUILD } from '../../src/build.js';
import { requireNamespace } from '../../src/engine/connection-errors.js';
import { decide } from '../../src/engine/runs/decide.js';
import { PlanConflictError, startRun } from '../../src/engine/runs/start-run.js';
import type { ConnectionSettings } from '../../src/engine/types.js';
import { PLAN_FORMAT } from '../../src/plan/run.js';
import { FakeActivities } from './fake-activities.js';
import {
  blocked,
  closed,
  startTest,
  step,
  type TestEngine,
  TestWorker,
  testCluster,
  testEngine,
  until,
} from './harness.js';

let engine: TestEngine;
let worker: TestWorker;
const fakes = new FakeActivities().failing('a/one');

beforeAll(async () => {
  engine = await testEngine();
  worker = await TestWorker.start(engine, fakes);
});

afterAll(async () => {
  await worker.stop();
  await engine.close();
});

describe('whose run it is that holds a host', () => {
  it('is told by an id that another namespace does not have, and that is the same by every address', async () => {
    const { address } = engine.settings;
    const { connection } = engine.client;
    const other = `other-${randomUUID().slice(0, 8)}`;
    const retention = { seconds: Long.fromNumber(86_400) };
    await engine.client.workflowService.registerNamespace({
      namespace: other,
      workflowExecutionRetentionPeriod: retention,
    });
    const ask = (settings: Partial<ConnectionSettings>) =>
      requireNamespace(connection, { ...engine.settings, ...settings });
    const ours = await ask({});
    expect(ours).toMatch(/^[0-9a-f-]{36}$/);
    expect(await ask({ address: address.replace('127.0.0.1', 'localhost') })).toBe(ours);
    expect(await ask({ namespace: other })).not.toBe(ours);
  });
});

describe('one writer a cluster', () => {
  it('makes one install of two that are started at the same moment', async () => {
    const cluster = testCluster();
    const how = { cluster, plan: [step('b/two')], planHash: 'same', build: '0.1.0' };
    const both = await Promise.all([startRun(engine, how), startRun(engine, how)]);
    expect(both.map((one) => one.attached).sort()).toEqual([false, true]);
    expect(both[0]?.runId).toBe(both[1]?.runId);
    const { startedAt, build } = await until(engine, cluster.name, closed);
    expect(build).toBe('0.1.0');
    expect(both.map((one) => one.build)).toEqual(expect.arrayContaining([undefined, '0.1.0']));
    expect(both.map((one) => one.startedAt)).toEqual(expect.arrayContaining([undefined, startedAt]));
    expect(fakes.triesOf('b/two')).toBe(1);
  });

  it('never attaches to a run that ends in that very moment: it starts anew', async () => {
    const cluster = testCluster();
    const how = { cluster, plan: [step('b/again')], planHash: 'same', build: '0.1.0' };
    const first = await startRun(engine, how);
    await until(engine, cluster.name, closed);
    // The server's answer to the start still tells of the run that has just ended.
    const { workflow } = engine.client;
    let starts = 0;
    const start = (async (...args: Parameters<typeof workflow.start>) => {
      starts += 1;
      if (starts > 1) return await workflow.start(...args);
      throw new WorkflowExecutionAlreadyStartedError('already started', `cluster/${cluster.name}`, 'installCluster');
    }) as typeof workflow.start;
    const late = {
      ...engine,
      client: { ...engine.client, workflow: Object.assign(Object.create(workflow), { start }) },
    };
    const second = await startRun(late as unknown as TestEngine, how);
    expect(second.attached).toBe(false);
    expect(second.runId).not.toBe(first.runId);
    await until(engine, cluster.name, closed);
  });

  it('refuses another plan while one runs, and gives back what runs', async () => {
    const { cluster } = await startTest(engine, [step('a/one')], 'first');
    await until(engine, cluster.name, blocked());
    const edited = { ...cluster, sysctls: { 'vm.swappiness': '1' } };
    const refusal = startRun(engine, {
      cluster: edited,
      plan: [step('a/one')],
      planHash: 'second',
      build: '0.1.0',
    });
    const error = await refusal.catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(PlanConflictError);
    expect(error).toMatchObject({ name: 'KubewrightError', code: 'KW520', running: { cluster, planHash: 'first' } });
    expect((error as PlanConflictError).hint).toMatch(/watch .*abort/);
    expect((await until(engine, cluster.name, blocked())).status).toBe('running');
    await decide(engine, cluster.name, 'abort');
    await until(engine, cluster.name, closed);
  });

  it('refuses one that was planned in another format, before a step of it parks for that', async () => {
    const cluster = testCluster();
    const how = { cluster, plan: [step('a/one')], planHash: 'same', build: '0.1.0' };
    const options = { workflowId: `cluster/${cluster.name}`, taskQueue: engine.taskQueue, args: [how] };
    // As 0.1.0 started it: without a format.
    const memo = { planHash: 'same', build: '0.1.0' };
    const handle = await engine.client.workflow.start('installCluster', { ...options, memo });
    await expect(startRun(engine, how)).rejects.toMatchObject({
      code: 'KW563',
      message: expect.stringContaining(
        `was planned by kubewright 0.1.0 (plan format 1); this is ${BUILD} (plan format ${PLAN_FORMAT})`,
      ),
      hint: expect.stringMatching(
        /^On its queue: a worker of kubewright \S+\. .*end with kubewright 0\.1\.0, or .*abort/,
      ),
    });
    await handle.terminate();
    const nobody = { ...options, taskQueue: `${engine.taskQueue}-nobody`, memo };
    const waiting = await engine.client.workflow.start('installCluster', nobody);
    await expect(startRun(engine, how)).rejects.toMatchObject({ hint: expect.stringMatching(/^No worker is there/) });
    await waiting.terminate();
  });

  it('refuses while something else works under the cluster’s name', async () => {
    const cluster = testCluster();
    const other = { taskQueue: 'nobody', workflowId: `cluster/${cluster.name}` };
    const handle = await engine.client.workflow.start('upgradeCluster', other);
    const refusal = startRun(engine, { cluster, plan: [], planHash: 'x', build: '0.1.0' });
    await expect(refusal).rejects.toMatchObject({ code: 'KW521', message: expect.stringContaining('upgradeCluster') });
    await handle.terminate();
  });
});
