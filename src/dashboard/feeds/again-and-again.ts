import { setTimeout as sleep } from 'node:timers/promises';

/** How something is asked again and again. */
export interface Rhythm {
  /** Shortest pause between two questions, in milliseconds. */
  pauseMs: number;
  signal: AbortSignal;
  /** Told of each failure, and of nothing once it works again. */
  onTrouble: (failure: unknown) => void;
}

/** The pause is so many times as long as the answer took: what is slow to answer is asked less often. */
const PAUSE_FOR_LOOK = 4;
const FIRST_RETRY_MS = 500;
const SLOWEST_RETRY_MS = 10_000;

/** Asks until it is stopped. Failures are told, and make the pauses longer, up to ten seconds. */
export async function againAndAgain(ask: () => Promise<void>, { pauseMs, signal, onTrouble }: Rhythm): Promise<void> {
  let failures = 0;
  while (!signal.aborted) {
    const began = performance.now();
    try {
      await ask();
      if (failures > 0) onTrouble(undefined);
      failures = 0;
    } catch (error) {
      if (signal.aborted) return;
      failures += 1;
      onTrouble(error);
    }
    const patience = Math.min(SLOWEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(failures - 1, 10));
    const wait = failures > 0 ? patience : Math.max(pauseMs, PAUSE_FOR_LOOK * (performance.now() - began));
    await pause(wait, signal);
  }
}

/** Waits; it ends early when it is stopped. */
export async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  await sleep(milliseconds, undefined, { signal }).catch(() => {});
}
