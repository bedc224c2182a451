import type { StepView, Tone } from '../told.js';

/** A sign for each tone: colours are not for everybody. */
export const SIGNS: Readonly<Record<Tone, string>> = { good: '✓', busy: '▸', warn: '!', bad: '✗', faint: '○' };

/** How a step looks, by its state. */
export const STEP_TONES: Readonly<Record<StepView['state'], Tone>> = {
  waiting: 'faint',
  running: 'busy',
  done: 'good',
  blocked: 'bad',
  skipped: 'warn',
  failed: 'bad',
};

/** "12 s", "3 m 05 s", "2 h 10 m". */
export function elapsed(milliseconds: number): string {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} m ${two(seconds % 60)} s`;
  return `${Math.floor(minutes / 60)} h ${two(minutes % 60)} m`;
}

/** A moment as logs on hosts have it: "2026-11-20 12:00 UTC". */
export function utcMinute(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

/** "1 step", "2 steps". */
export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}
