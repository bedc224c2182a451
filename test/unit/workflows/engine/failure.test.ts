import { ActivityFailure, ApplicationFailure, TimeoutFailure, TimeoutType } from '@temporalio/common';
import { describe, expect, it } from 'vitest';
import { toApplicationFailure } from '../../../../src/activities/failure.js';
import { KubewrightError } from '../../../../src/errors.js';
import type { Step } from '../../../../src/plan/types.js';
import { readFailure } from '../../../../src/workflows/engine/failure.js';

const step = { id: 'cp-2/join', host: 'cp-2', action: 'joinControlPlane' } as Step;

function failed(cause: Error | undefined): ActivityFailure {
  return new ActivityFailure('failed', step.action, step.id, 'NON_RETRYABLE_FAILURE', undefined, cause);
}

describe('what a failed step tells', () => {
  it('is what its activity said', () => {
    const error = new KubewrightError('KW431', 'join failed', {
      host: 'cp-1',
      hint: 'Open port 6443.',
      output: 'refused',
    });
    expect(readFailure(failed(toApplicationFailure(error)), step)).toEqual({
      code: 'KW431',
      message: 'cp-1: join failed',
      hint: 'Open port 6443.',
      host: 'cp-1',
      output: 'refused',
    });
  });

  it('keeps the end of long output', () => {
    const error = new KubewrightError('KW431', 'failed', { output: `${'x'.repeat(10_000)}the end` });
    const { output } = readFailure(failed(toApplicationFailure(error)), step);
    expect(output.length).toBeLessThanOrEqual(2_000);
    expect(output).toMatch(/the end$/);
  });

  it.each([
    [
      'a failure without a code',
      ApplicationFailure.create({ type: 'TypeError', message: 'x is undefined' }),
      'KW499',
      'x is undefined',
    ],
    [
      'a time limit',
      new TimeoutFailure('activity timed out', undefined, TimeoutType.START_TO_CLOSE),
      'KW434',
      'within its limit',
    ],
    ['nothing at all', undefined, 'KW499', 'without a message'],
  ])('is named and comes with a hint also for %s', (_name, cause, code, message) => {
    const told = readFailure(failed(cause), step);
    expect(told).toMatchObject({ code, host: 'cp-2' });
    expect(told.message).toContain(message);
    expect(told.hint).toMatch(/retry/);
  });
});
