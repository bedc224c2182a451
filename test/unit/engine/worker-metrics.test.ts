import type { Context } from '@temporalio/activity';
import { ApplicationFailure, CancelledFailure, type MetricMeter, noopMetricMeter } from '@temporalio/common';
import { expect, it, onTestFinished } from 'vitest';
import { ownMetrics } from '../../../src/engine/worker/metrics.js';

/** A meter that keeps each value under its name and tags: counters summed, gauges as they were last set, histograms counted. */
class RecordingMeter {
  readonly values = new Map<string, number>();

  readonly meter = {
    createCounter: (name: string) => ({ add: (by: number, tags: object) => this.#add(name, tags, by) }),
    createHistogram: (name: string) => ({ record: (_value: number, tags: object) => this.#add(name, tags, 1) }),
    createGauge: (name: string) => ({
      set: (value: number, tags: object = {}) => this.values.set(this.#key(name, tags), value),
    }),
  } as unknown as MetricMeter;

  #key(name: string, tags: object): string {
    return [name, ...Object.values(tags)].join(' ');
  }

  #add(name: string, tags: object, by: number): void {
    const key = this.#key(name, tags);
    this.values.set(key, (this.values.get(key) ?? 0) + by);
  }
}

it('a worker tells how its tries ended, by action, and what is under way', async () => {
  const { values, meter } = new RecordingMeter();
  const metrics = ownMetrics(meter);
  onTestFinished(() => metrics?.stop());
  const { execute } = metrics?.interceptor({ info: { activityType: 'joinWorker' } } as Context).inbound ?? {};
  const end = async (work: () => Promise<unknown>) =>
    execute?.({ args: [], headers: {} }, work).catch((error: unknown) => error);

  let release = (): void => {};
  const held = end(() => new Promise((resolve) => (release = () => resolve({ outcome: 'changed', summary: '' }))));
  expect(values.get('kubewright_steps_running joinWorker')).toBe(1);
  release();
  await held;
  await end(async () => ({ outcome: 'unchanged', summary: '' }));
  const transient = ApplicationFailure.create({ nonRetryable: false });
  expect(await end(() => Promise.reject(transient))).toBe(transient);
  await end(() => Promise.reject(ApplicationFailure.create({ nonRetryable: true })));
  await end(() => Promise.reject(new Error('unexpected')));
  await end(() => Promise.reject(new CancelledFailure('PAUSED')));

  expect(Object.fromEntries(values)).toMatchObject({
    'kubewright_steps_running joinWorker': 0,
    'kubewright_step_duration_seconds joinWorker': 6,
    'kubewright_steps_total joinWorker changed': 1,
    'kubewright_steps_total joinWorker unchanged': 1,
    'kubewright_steps_total joinWorker retried': 1,
    'kubewright_steps_total joinWorker failed': 2,
    'kubewright_steps_total joinWorker cancelled': 1,
    kubewright_connections_open: 0,
    kubewright_event_loop_delay_p99_seconds: 0,
  });
  expect(values.get('process_resident_memory_bytes')).toBeGreaterThan(1e6);
});

it('where nothing is served nothing is kept', () => {
  expect(ownMetrics(noopMetricMeter)).toBeUndefined();
});
