import { afterAll, beforeAll, beforeEach } from 'vitest';
import { FakeActivities } from './fake-activities.js';
import { type TestEngine, TestWorker, testEngine } from './harness.js';

/** One for all tests of a file, on a task queue of its own. */
export let engine: TestEngine;
/** What the steps of this test do. */
export let fakes: FakeActivities;
/** The worker that carries this test's steps out. A test may stop it: stopping twice does no harm. */
export let worker: TestWorker;

/** Gives every test of a file fakes that nobody has touched, and a worker of its own that carries them out. */
export function useFreshWorkers(): void {
  beforeAll(async () => {
    engine = await testEngine();
  });
  beforeEach(async () => {
    fakes = new FakeActivities();
    worker = await TestWorker.start(engine, fakes);
    return () => worker.stop();
  });
  afterAll(() => engine.close());
}
