import { setTimeout as pause } from 'node:timers/promises';
import type { StepContext } from '../types.js';

export interface AwaitOptions {
  /** Milliseconds after which what is still wrong is returned. */
  patienceMs: number;
  /** Milliseconds between two looks. */
  everyMs: number;
}

/**
 * Looks again and again until nothing is wrong any more or patience ends.
 * @returns what was still wrong at the end; empty when all is well
 */
export async function awaitFaultless(
  context: StepContext,
  look: () => Promise<string[]>,
  options: AwaitOptions,
): Promise<string[]> {
  const deadline = Date.now() + options.patienceMs;
  for (;;) {
    const faults = await look();
    if (faults.length === 0 || Date.now() > deadline) return faults;
    context.progress(`waiting: ${faults.join('; ')}`);
    await pause(options.everyMs, undefined, { signal: context.signal });
  }
}
