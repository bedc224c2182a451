import { describe, expect, it } from 'vitest';
import { telemetryOptions } from '../../../src/engine/worker/telemetry.js';

describe('a worker’s metrics', () => {
  it('are served where KUBEWRIGHT_METRICS says, and nowhere unless it does', () => {
    expect(telemetryOptions({})?.metrics).toBeUndefined();
    const bindAddress = '127.0.0.1:9464';
    expect(telemetryOptions({ KUBEWRIGHT_METRICS: bindAddress })?.metrics).toEqual({ prometheus: { bindAddress } });
    expect(telemetryOptions({ KUBEWRIGHT_METRICS: '[::1]:9464' })?.metrics).toBeDefined();
  });

  it.each(['9464', 'localhost', 'localhost:9464', '127.0.0.1:99999', 'http://127.0.0.1:9464'])(
    'refuse %s',
    (address) => {
      expect(() => telemetryOptions({ KUBEWRIGHT_METRICS: address })).toThrow(
        expect.objectContaining({ code: 'KW551' }),
      );
    },
  );
});
