import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import { ApplicationFailure, CancelledFailure, type MetricMeter, noopMetricMeter } from '@temporalio/common';
import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import { openConnections } from '../../hosts/connection/open.js';

/** Name of the histogram of steps' durations, whose buckets the exporter has to know. */
export const STEP_DURATION = 'kubewright_step_duration_seconds';

/** From a probe that finds everything done to a join that waits for a slow disk; in seconds. */
export const STEP_DURATION_BUCKETS = [0.1, 0.5, 1, 5, 15, 30, 60, 120, 300, 600, 1_800];

/** How often what is not told by events is looked at. Prometheus asks every 15 s or less often. */
const SAMPLE_MS = 5_000;

/** How often the event loop's delay is measured; the clock that measures adds this much. */
const RESOLUTION_MS = 20;

/** Kubewright's own metrics of a worker, beside those of Temporal's SDK and at the same address. */
export interface OwnMetrics {
  /** Sees every try of a step begin and end. */
  readonly interceptor: ActivityInterceptorsFactory;
  stop(): void;
}

/**
 * Begins to keep Kubewright's metrics. Steps are told apart by action, never by host or id: the number of series does not grow
 * with the cluster.
 *
 * @param meter the runtime's; undefined is returned for one that serves nothing
 */
export function ownMetrics(meter: MetricMeter): OwnMetrics | undefined {
  if (meter === noopMetricMeter) return undefined;
  const stop = sample(meter);
  return { interceptor: stepMetrics(meter), stop };
}

function stepMetrics(meter: MetricMeter): ActivityInterceptorsFactory {
  const ended = meter.createCounter(
    'kubewright_steps_total',
    '',
    'Tries of steps that have ended, by action and outcome',
  );
  const duration = meter.createHistogram(STEP_DURATION, 'float', '', 'How long tries of steps took, by action');
  const running = meter.createGauge('kubewright_steps_running', 'int', '', 'Steps that are under way, by action');
  const now = new Map<string, number>();
  const change = (action: string, by: number): void => {
    const count = (now.get(action) ?? 0) + by;
    now.set(action, count);
    running.set(count, { action });
  };
  return ({ info }) => ({
    inbound: {
      async execute(input, next) {
        const action = info.activityType;
        const began = performance.now();
        change(action, 1);
        let outcome = 'failed';
        try {
          const output = await next(input);
          outcome = (output as { outcome?: string } | undefined)?.outcome ?? 'done';
          return output;
        } catch (error) {
          outcome = outcomeOf(error);
          throw error;
        } finally {
          change(action, -1);
          duration.record((performance.now() - began) / 1_000, { action });
          ended.add(1, { action, outcome });
        }
      },
    },
  });
}

/** `retried`: Temporal tries it again by itself. `cancelled`: let go of, by a pause, a reset, an abort or a worker that drains. */
function outcomeOf(error: unknown): 'failed' | 'retried' | 'cancelled' {
  if (error instanceof CancelledFailure) return 'cancelled';
  return error instanceof ApplicationFailure && !error.nonRetryable ? 'retried' : 'failed';
}

/** What nothing tells of: looked at now and every few seconds. Returns what ends it. */
function sample(meter: MetricMeter): () => void {
  const connections = meter.createGauge('kubewright_connections_open', 'int', '', 'SSH connections that stand');
  const delay = meter.createGauge(
    'kubewright_event_loop_delay_p99_seconds',
    'float',
    '',
    'How late the event loop was, 99th percentile of the last seconds',
  );
  const memory = meter.createGauge('process_resident_memory_bytes', 'int', '', 'Resident memory of the worker');
  const loop = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  loop.enable();
  const look = (): void => {
    connections.set(openConnections());
    delay.set(delayOf(loop));
    memory.set(process.memoryUsage.rss());
    loop.reset();
  };
  look();
  const timer = setInterval(look, SAMPLE_MS).unref();
  return () => {
    clearInterval(timer);
    loop.disable();
  };
}

/** In seconds; 0 where nothing was measured yet. */
function delayOf(loop: IntervalHistogram): number {
  return loop.count === 0 ? 0 : Math.max(0, loop.percentile(99) / 1e9 - RESOLUTION_MS / 1e3);
}
