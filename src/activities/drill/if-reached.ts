import { isKubewrightError } from '../../errors.js';
import type { StepContext } from '../types.js';

/**
 * Asks, or does, what may be left out where a host cannot be reached.
 *
 * @returns undefined where it was left out
 * @throws whatever is not transient; the signal's reason
 */
export async function ifReached<T>(
  { signal }: Pick<StepContext, 'signal'>,
  ask: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    signal.throwIfAborted();
    if (!isKubewrightError(error) || !error.transient) throw error;
    return undefined;
  }
}
