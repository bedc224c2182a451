import { KubewrightError } from '../errors.js';
import type { Step } from '../plan/types.js';

/** How long before Temporal's own limit a step is ended, so that it can still say what it was at. */
const MARGIN_MS = 5_000;

/**
 * Carries something out that has to end before an activity's limit. Shortly before it, its signal is aborted and KW434 is
 * thrown, also where what runs does not heed the signal: a step that hangs counts as a failed try.
 *
 * @param limitMs the activity's start-to-close timeout
 * @param lastLine what it last said, for the person who will look
 * @throws KubewrightError KW434 at the limit
 */
export async function withinLimit<T>(
  step: Step,
  limitMs: number,
  lastLine: () => string,
  act: (limit: AbortSignal) => Promise<T>,
): Promise<T> {
  const limit = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const reached = new Promise<never>((_, reject) => {
    const end = (): void => {
      const error = new KubewrightError(
        'KW434',
        `the step did not end within its limit of ${step.timeoutMinutes} minutes`,
        {
          host: step.host ?? undefined,
          step: step.id,
          hint: 'What it started on the host may still run, and a retry finds it again. See what it waits for there, then retry the step.',
          output: lastLine(),
        },
      );
      limit.abort(error);
      reject(error);
    };
    timer = setTimeout(end, limitMs - Math.min(MARGIN_MS, limitMs / 10));
  });
  try {
    return await Promise.race([act(limit.signal), reached]);
  } finally {
    clearTimeout(timer);
  }
}
