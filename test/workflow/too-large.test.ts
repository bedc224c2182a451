import { afterAll, beforeAll, expect, it } from 'vitest';
import { startRun } from '../../src/engine/runs/start-run.js';
import { type TestEngine, testCluster, testEngine } from './harness.js';

let engine: TestEngine;
beforeAll(async () => {
  engine = await testEngine();
});
afterAll(() => engine.close());

// Above what a server takes as one input, and above what it takes as one message: the first is the server's word.
it.each([3, 5])('an input of %i MiB is refused with its size and what to do', async (mebibytes) => {
  const cluster = testCluster();
  cluster.kubernetes.patches = [{ name: 'etcd.yaml', content: 'x'.repeat(mebibytes * 1024 * 1024) }];
  const starting = startRun(engine, { cluster, plan: [], planHash: 'x', build: '0.1.0' });
  await expect(starting).rejects.toMatchObject({
    code: 'KW560',
    message: expect.stringMatching(new RegExp(`of 4 hosts are ${mebibytes}\\.\\d MiB; nothing was started$`)),
    hint: expect.stringContaining('limit.blobSize.error'),
  });
});
