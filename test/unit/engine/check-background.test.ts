import { afterEach, describe, expect, it, vi } from 'vitest';
import { type BackgroundReader, readBackground } from '../../../src/engine/runs/check-background.js';

afterEach(() => {
  vi.useRealTimers();
});

/** A server of which every question comes to this. */
function server(answer: () => Promise<never>): BackgroundReader {
  const service = new Proxy({}, { get: () => answer });
  return { workflowService: service, operatorService: service, namespace: 'prod', converter: {} } as BackgroundReader;
}

describe('what a check knows of Temporal', () => {
  it('is nothing where Temporal refuses to tell: the check goes on, and writes no attribute', async () => {
    const refusing = server(() => Promise.reject(new Error('7 PERMISSION_DENIED')));
    expect(await readBackground(refusing, 'demo')).toEqual({ healthAttribute: false });
  });

  it('is nothing where Temporal does not answer: five seconds are all that it waits', async () => {
    vi.useFakeTimers();
    const silent = server(() => new Promise<never>(() => {}));
    const reading = readBackground(silent, 'demo');
    await vi.advanceTimersByTimeAsync(5_000);
    expect(await reading).toEqual({ healthAttribute: false });
  });
});
