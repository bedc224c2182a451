import { describe, expect, test } from 'vitest';
import { isKubewrightError, KubewrightError } from '../../../../src/errors.js';
import { packError, unpackError } from '../../../../src/hosts/connection/threaded/crossing-error.js';
import { registerSecret } from '../../../../src/hosts/redact.js';

/** The error on the other side. */
const crossed = (error: unknown): Error => unpackError(structuredClone(packError(error)));

describe('an error that crosses between threads', () => {
  test('of Kubewright keeps every field, its place in the code, and what caused it', () => {
    const cause = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
    const facts = { host: 'cp-1', step: 'cp-1/join', hint: 'Look there.', output: 'said', transient: true, cause };
    const error = new KubewrightError('KW201', 'cp-1 refused the connection', facts);
    const there = crossed(error) as KubewrightError;
    expect(there).toBeInstanceOf(KubewrightError);
    expect(isKubewrightError(there)).toBe(true);
    expect({ ...there }).toEqual({ ...error });
    expect(there).toMatchObject({ message: error.message, stack: error.stack });
    expect(there.cause).toMatchObject({
      name: 'Error',
      message: cause.message,
      code: 'ECONNREFUSED',
      stack: cause.stack,
    });
  });

  test('of anybody else keeps its name and words', () => {
    const there = crossed(new TypeError('not a function'));
    expect(there).toMatchObject({ name: 'TypeError', message: 'not a function' });
    expect(there).toBeInstanceOf(Error);
    expect(crossed('just words')).toMatchObject({ name: 'Error', message: 'just words' });
  });

  test('that causes itself crosses all the same', () => {
    const error = new Error('round');
    error.cause = new Error('and round', { cause: error });
    expect(crossed(error)).toMatchObject({
      message: 'round',
      cause: { message: 'and round', cause: { message: 'round' } },
    });
  });

  test('is redacted by who knows the passwords', () => {
    const packed = packError(new KubewrightError('KW210', 'rejected', { output: 'it said canary-password-1' }));
    registerSecret('canary-password-1');
    expect(unpackError(packed)).toMatchObject({ output: 'it said [redacted]' });
  });
});
