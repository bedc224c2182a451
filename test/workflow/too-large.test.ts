import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readInput } from '../../src/engine/runs/history.js';
import { startRun } from '../../src/engine/runs/start-run.js';
import { type TestEngine, testCluster, testEngine } from './harness.js';

let engine: TestEngine;
beforeAll(async () => {
  engine = await testEngine();
});
afterAll(() => engine.close());

it('an input of more than a server takes, compressed, is refused with its size and what to do', async () => {
  const cluster = testCluster();
  const content = randomBytes(3 * 1024 * 1024).toString('base64');
  cluster.kubernetes.patches = [{ name: 'etcd.yaml', content }];
  const starting = startRun(engine, { cluster, plan: [], planHash: 'x', build: '0.1.0' });
  await expect(starting).rejects.toMatchObject({
    code: 'KW560',
    message: expect.stringMatching(/of 4 hosts are 3\.\d MiB when compressed; nothing was started$/),
    hint: expect.stringContaining('2 MiB'),
  });
});

it('an input that is large only as it is written is taken', async () => {
  const cluster = testCluster();
  cluster.kubernetes.patches = [{ name: 'etcd.yaml', content: 'x'.repeat(5 * 1024 * 1024) }];
  const { workflowId, runId } = await startRun(engine, { cluster, plan: [], planHash: 'x', build: '0.1.0' });
  expect((await readInput(engine, workflowId, runId)).cluster).toEqual(cluster);
  await engine.client.workflow.getHandle(workflowId).terminate('seen');
});
