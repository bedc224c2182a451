import { isIPv4, isIPv6 } from 'node:net';
import { makeTelemetryFilterString, type RuntimeOptions } from '@temporalio/worker';
import { KubewrightError, messageOf } from '../../errors.js';
import { STEP_DURATION, STEP_DURATION_BUCKETS } from './metrics.js';

/**
 * Logs and metrics of a worker's runtime. `KUBEWRIGHT_METRICS=127.0.0.1:9464` (or `worker --metrics`) serves both the SDK's
 * metrics and Kubewright's own there in Prometheus' form (`/metrics`). Nobody is asked who he is, so loopback or a network of
 * one's own.
 *
 * @throws KubewrightError KW551 when the address is none
 */
export function telemetryOptions(env: NodeJS.ProcessEnv): RuntimeOptions['telemetryOptions'] {
  const logging = { forward: {}, filter: makeTelemetryFilterString({ core: 'WARN', other: 'ERROR' }) };
  const bindAddress = env.KUBEWRIGHT_METRICS;
  if (!bindAddress) return { logging };
  if (!isBindAddress(bindAddress)) {
    throw new KubewrightError('KW551', `Metrics are to be served at ${bindAddress}, which is no address to listen on`, {
      hint: 'Give --metrics (or KUBEWRIGHT_METRICS) an IP address and a port, such as 127.0.0.1:9464.',
    });
  }
  const histogramBucketOverrides = { [STEP_DURATION]: STEP_DURATION_BUCKETS };
  return { logging, metrics: { prometheus: { bindAddress, histogramBucketOverrides } } };
}

function isBindAddress(text: string): boolean {
  const [, v4 = '', v6 = '', port = ''] = /^(?:([\d.]+)|\[([0-9a-f:.]+)\]):(\d{1,5})$/i.exec(text) ?? [];
  return (isIPv4(v4) || isIPv6(v6)) && Number(port) >= 1 && Number(port) <= 65_535;
}

/** Why the SDK could not serve metrics, for people; what else may fail when a runtime is made stays as it is. */
export function metricsError(error: unknown, env: NodeJS.ProcessEnv): unknown {
  const [, why] = /prometheus metrics exporter: (.*?)(?: \(os error \d+\))?$/i.exec(messageOf(error)) ?? [];
  if (why === undefined) return error;
  return new KubewrightError('KW580', `Metrics cannot be served at ${env.KUBEWRIGHT_METRICS}: ${why}`, {
    hint: `${hintFor(why)} The worker has not started.`,
    cause: error,
  });
}

function hintFor(why: string): string {
  if (/in use/i.test(why)) {
    return 'Another program listens there, perhaps another worker: name another port with --metrics (or KUBEWRIGHT_METRICS), or stop that one.';
  }
  if (/permission/i.test(why))
    return 'Ports below 1024 want root: name a higher one with --metrics (or KUBEWRIGHT_METRICS).';
  return 'Name an address of this machine, or 0.0.0.0 for all of them, with --metrics (or KUBEWRIGHT_METRICS).';
}
