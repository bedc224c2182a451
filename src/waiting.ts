import { setTimeout as pause } from 'node:timers/promises';

/** What one look at something that is waited for came to. */
export type Glance<T> =
  | { done: true; value: T }
  /** What it still waits for, for whoever is watching; empty: nothing is said. */
  | { done: false; line: string };

/** It is as it should be. */
export function seen<T>(value: T): Glance<T> {
  return { done: true, value };
}

/** @param line what is waited for: "waiting for a control plane whose API server is ready" */
export function notYet(line = ''): Glance<never> {
  return { done: false, line };
}

export interface Patience {
  /** Milliseconds after which it is given up. At least one look is made, and none is cut off. */
  patienceMs: number;
  /** Milliseconds between two looks, or how many there are behind one that took so long. */
  everyMs: number | ((lookMs: number) => number);
  /** Ends the wait with its reason. */
  signal?: AbortSignal | undefined;
  /** Told what is waited for, with each look. */
  progress?: (line: string) => void;
}

/**
 * The one way to wait for something that has to be looked at: looks again and again until it is there, or patience is used
 * up. What to do then is the caller's, who knows what it last saw.
 *
 * @returns the value; undefined when it was not there in time
 * @throws what `look` throws; the signal's reason
 */
export async function lookUntil<T extends NonNullable<unknown>>(
  look: () => Promise<Glance<T>>,
  { patienceMs, everyMs, signal, progress }: Patience,
): Promise<T | undefined> {
  const deadline = Date.now() + patienceMs;
  for (;;) {
    const began = Date.now();
    const glance = await look();
    if (glance.done) return glance.value;
    if (Date.now() > deadline) return undefined;
    if (glance.line !== '') progress?.(glance.line);
    await pause(typeof everyMs === 'number' ? everyMs : everyMs(Date.now() - began), undefined, { signal });
  }
}
