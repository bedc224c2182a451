import { lookUntil, notYet, type Patience, seen } from '../../waiting.js';
import { requireYes, type Unknown, unknown, type Yes, yes } from '../answers.js';
import type { StepContext } from '../types.js';

/** What is wrong, which is nothing when all is well; unknown where nobody could be asked who would know. */
export type Faults = Yes<string[]> | Unknown;

/**
 * Looks again and again until nothing is wrong any more or patience ends.
 *
 * @param question what is looked at, as the rest of "cannot tell …": "whether the nodes are Ready"
 * @returns what was still wrong at the end; empty when all is well
 * @throws KubewrightError KW433 (transient: it is asked again) when nobody could be asked at the end
 */
export async function awaitFaultless(
  context: StepContext,
  question: string,
  look: () => Promise<Faults>,
  options: Pick<Patience, 'patienceMs' | 'everyMs'>,
): Promise<string[]> {
  let faults: Faults = unknown('it was not asked');
  const glance = async () => {
    faults = await look();
    const what = whatIsWrong(faults);
    return what.length === 0 ? seen(true) : notYet(`waiting: ${what.join('; ')}`);
  };
  await lookUntil(glance, { ...options, ...waitOf(context) });
  return requireYes(faults, question);
}

/** For people: that nobody could be asked is told like a fault. */
export function whatIsWrong(faults: Faults): string[] {
  return faults.is === 'yes' ? faults.value : [faults.why];
}

/**
 * @param certain what somebody has seen
 * @param unasked who could not be asked; where nobody has seen anything, nothing more is known
 */
export function faultsFrom(certain: string[], unasked: string[]): Faults {
  return certain.length === 0 && unasked.length > 0 ? unknown(unasked.join('; ')) : yes([...unasked, ...certain]);
}

/** Waits of a step end with it, and are shown as its last line. */
export function waitOf({ signal, progress }: StepContext): Required<Pick<Patience, 'signal' | 'progress'>> {
  return { signal, progress };
}
