import { lookUntil, notYet, type Patience, seen } from '../../waiting.js';
import type { StepContext } from '../types.js';

/**
 * Looks again and again until nothing is wrong any more or patience ends.
 * @returns what was still wrong at the end; empty when all is well
 */
export async function awaitFaultless(
  context: StepContext,
  look: () => Promise<string[]>,
  options: Pick<Patience, 'patienceMs' | 'everyMs'>,
): Promise<string[]> {
  let faults: string[] = [];
  const glance = async () => {
    faults = await look();
    return faults.length === 0 ? seen(true) : notYet(`waiting: ${faults.join('; ')}`);
  };
  await lookUntil(glance, { ...options, ...waitOf(context) });
  return faults;
}

/** Waits of a step end with it, and are shown as its last line. */
export function waitOf({ signal, progress }: StepContext): Required<Pick<Patience, 'signal' | 'progress'>> {
  return { signal, progress };
}
