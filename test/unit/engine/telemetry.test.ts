import { describe, expect, it } from 'vitest';
import { metricsError, telemetryOptions } from '../../../src/engine/worker/telemetry.js';

describe('a worker’s metrics', () => {
  it('are served where KUBEWRIGHT_METRICS says, and nowhere unless it does', () => {
    expect(telemetryOptions({})?.metrics).toBeUndefined();
    const bindAddress = '127.0.0.1:9464';
    expect(telemetryOptions({ KUBEWRIGHT_METRICS: bindAddress })?.metrics).toMatchObject({
      prometheus: { bindAddress },
    });
    expect(telemetryOptions({ KUBEWRIGHT_METRICS: '[::1]:9464' })?.metrics).toBeDefined();
  });

  it.each([
    '9464',
    'localhost',
    'localhost:9464',
    '127.0.0.1:99999',
    'http://127.0.0.1:9464',
    '999.1.1.1:9464',
    '127.0.0.1:0',
    '[::g]:80',
  ])('refuse %s', (address) => {
    expect(() => telemetryOptions({ KUBEWRIGHT_METRICS: address })).toThrow(expect.objectContaining({ code: 'KW551' }));
  });

  it.each([
    ['Address already in use (os error 98)', 'name another port with --metrics'],
    ['Permission denied (os error 13)', 'Ports below 1024 want root'],
    ['Cannot assign requested address (os error 99)', 'Name an address of this machine'],
  ])('that cannot be served say why and what to do: %s', (why, hint) => {
    const error = metricsError(new Error(`Failed to start prometheus metrics exporter: ${why}`), {
      KUBEWRIGHT_METRICS: '10.0.0.1:80',
    });
    const message = `Metrics cannot be served at 10.0.0.1:80: ${why.replace(/ \(.*/, '')}`;
    expect(error).toMatchObject({ code: 'KW580', message, hint: expect.stringContaining(hint) });
  });

  it('another failure of the runtime stays what it is', () => {
    const error = new Error('no memory');
    expect(metricsError(error, {})).toBe(error);
  });
});
