import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { planInstall } from '../../src/plan/install.js';
import { FakeActivities } from './fake-activities.js';
import { closed, startTest, step, type TestEngine, TestWorker, testCluster, testEngine, until } from './harness.js';

let engine: TestEngine;
let worker: TestWorker;
const fakes = new FakeActivities();

beforeAll(async () => {
  engine = await testEngine();
  worker = await TestWorker.start(engine, fakes);
});

afterAll(async () => {
  await worker.stop();
  await engine.close();
});

describe('the order of steps', () => {
  it('runs every step of a real plan once, each behind what it needs', async () => {
    fakes.trace.length = 0;
    const { cluster } = await startTest(engine);
    const snapshot = await until(engine, cluster.name, closed);
    expect(snapshot.status).toBe('completed');
    const plan = planInstall(testCluster());
    expect(snapshot.result).toEqual({ cluster: cluster.name, changed: plan.length, unchanged: 0, skipped: [] });
    for (const { id, needs } of plan) {
      const began = fakes.trace.indexOf(`+${id}`);
      expect(fakes.trace.filter((entry) => entry === `+${id}`)).toHaveLength(1);
      for (const need of needs) expect(fakes.trace.indexOf(`-${need}`), `${id} behind ${need}`).toBeLessThan(began);
    }
  });

  it('runs what needs nothing of each other side by side, without barriers between phases', async () => {
    // Both sides meet in the middle: each only ends when the other has begun, which any barrier would make impossible.
    const left = meeting();
    const right = meeting();
    fakes.on('a/late', async () => {
      left.arrive();
      await right.arrived;
      return { outcome: 'changed', summary: '' };
    });
    fakes.on('b/early', async () => {
      right.arrive();
      await left.arrived;
      return { outcome: 'unchanged', summary: '' };
    });
    const plan = [step('a/early'), step('a/late', ['a/early'], { phase: 'workers' }), step('b/early')];
    const { cluster } = await startTest(engine, plan);
    const snapshot = await until(engine, cluster.name, closed);
    expect(snapshot.result).toMatchObject({ changed: 2, unchanged: 1 });
  });

  it('fails a plan that could never end, and names the steps', async () => {
    const plan = [step('a/one', ['b/two']), step('b/two', ['a/one'])];
    const { cluster } = await startTest(engine, plan);
    const snapshot = await until(engine, cluster.name, closed);
    expect(snapshot.status).toBe('failed');
    expect(snapshot.failure?.code).toBe('KW432');
    expect(snapshot.failure?.message).toContain('a/one, b/two');
  });
});

function meeting(): { arrive(): void; arrived: Promise<void> } {
  let arrive = (): void => {};
  const arrived = new Promise<void>((resolve) => {
    arrive = resolve;
  });
  return { arrive: () => arrive(), arrived };
}
