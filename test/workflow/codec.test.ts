import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decide } from '../../src/engine/runs/decide.js';
import { listRuns } from '../../src/engine/runs/list-runs.js';
import { describeRun } from '../../src/engine/runs/watch-run.js';
import { FakeActivities } from './fake-activities.js';
import { blocked, closed, startTest, step, type TestEngine, TestWorker, testEngine, until } from './harness.js';

let engine: TestEngine;
let worker: TestWorker;
const fakes = new FakeActivities().failing('cp-2/join', 2);

beforeAll(async () => {
  engine = await testEngine({ KUBEWRIGHT_PAYLOAD_KEY: randomBytes(32).toString('base64') });
  worker = await TestWorker.start(engine, fakes);
});

afterAll(async () => {
  await worker.stop();
  await engine.close();
});

describe('with a payload key', () => {
  it('an install runs, parks and is decided, and its history tells neither inputs nor errors', async () => {
    const { cluster, workflowId, runId } = await startTest(engine, [step('cp-2/join'), step('a/held')]);
    const parked = await until(engine, cluster.name, blocked());
    expect(parked.progress.blocked[0]).toMatchObject({ code: 'KW421', hint: 'Open port 6443.' });
    await decide(engine, cluster.name, 'retry', { reason: 'port opened' });
    const end = await until(engine, cluster.name, closed);
    expect(end.result).toMatchObject({ changed: 2 });
    expect(end.progress.decisions[0]).toMatchObject({ reason: 'port opened' });

    const history = await engine.client.workflow.getHandle(workflowId, runId).fetchHistory();
    const text = textOf(history);
    expect(text).toContain('cp-2/join');
    for (const secret of ['10.88.0.11', 'kubeadm join failed', 'Open port 6443', 'connection refused', 'port opened']) {
      expect(text.includes(secret), secret).toBe(false);
    }
  });

  it('a client with another key is told so', async () => {
    const { cluster } = await startTest(engine, [step('a/one')]);
    await until(engine, cluster.name, closed);
    const stranger = await testEngine({ ...keyed(engine), KUBEWRIGHT_PAYLOAD_KEY: randomBytes(32).toString('base64') });
    await expect(describeRun(stranger, cluster.name)).rejects.toThrow(/was encrypted with key|KUBEWRIGHT_PAYLOAD_KEY/);
    await stranger.close();
  });

  it('a client without a key lists it with the others, and is told what it lacks when it wants more', async () => {
    const { cluster, runId } = await startTest(engine, [step('a/one')]);
    await until(engine, cluster.name, closed);
    const stranger = await testEngine({ ...keyed(engine), KUBEWRIGHT_PAYLOAD_KEY: '' });
    const mine = async () => (await listRuns(stranger)).filter((listing) => listing.runId === runId);
    await expect.poll(mine).toEqual([expect.objectContaining({ cluster: cluster.name, status: 'completed' })]);
    await expect(describeRun(stranger, cluster.name)).rejects.toMatchObject({ code: 'KW512' });
    await stranger.close();
  });

  it('a key of the wrong size is refused before anything is started', async () => {
    await expect(testEngine({ KUBEWRIGHT_PAYLOAD_KEY: 'c2hvcnQ=' })).rejects.toMatchObject({ code: 'KW511' });
  });
});

function keyed(of: TestEngine): Record<string, string> {
  return { KUBEWRIGHT_TASK_QUEUE: of.taskQueue };
}

/** Every byte of a history that could be read, also what is base64 in JSON. */
function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  if (value instanceof Uint8Array) return Buffer.from(value).toString('latin1');
  if (Array.isArray(value)) return value.map(textOf).join('\n');
  if (typeof value === 'object' && value !== null) return Object.values(value).map(textOf).join('\n');
  return '';
}
