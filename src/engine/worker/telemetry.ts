import { makeTelemetryFilterString, type RuntimeOptions } from '@temporalio/worker';
import { KubewrightError } from '../../errors.js';

/**
 * Logs and metrics of a worker's runtime. `KUBEWRIGHT_METRICS=127.0.0.1:9464` has the SDK serve its metrics there in
 * Prometheus' form (`/metrics`): slots, task latencies, failures, by activity type. Nobody is asked who he is, so loopback or
 * a network of one's own.
 *
 * @throws KubewrightError KW551 when the address is none
 */
export function telemetryOptions(env: NodeJS.ProcessEnv): RuntimeOptions['telemetryOptions'] {
  const logging = { forward: {}, filter: makeTelemetryFilterString({ core: 'WARN', other: 'ERROR' }) };
  const address = env.KUBEWRIGHT_METRICS;
  if (!address) return { logging };
  const [, port = ''] = /^(?:\d+(?:\.\d+){3}|\[[0-9a-f:]+\]):(\d+)$/i.exec(address) ?? [];
  if (port === '' || Number(port) > 65_535) {
    throw new KubewrightError('KW551', `KUBEWRIGHT_METRICS is no address to listen on: ${address}`, {
      hint: 'Write an IP address and a port, such as 127.0.0.1:9464.',
    });
  }
  return { logging, metrics: { prometheus: { bindAddress: address } } };
}
