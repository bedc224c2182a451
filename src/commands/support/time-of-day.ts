import { InvalidArgumentError } from 'commander';
import { KubewrightError } from '../../errors.js';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

/**
 * Reads a time of the day, such as `09:30`. To be used as an option's parser.
 *
 * @returns milliseconds after midnight
 * @throws InvalidArgumentError when it is none
 */
export function parseTimeOfDay(text: string): number {
  const [, hours, minutes] = /^([01]?\d|2[0-3]):([0-5]\d)$/.exec(text.trim()) ?? [];
  if (hours === undefined) throw new InvalidArgumentError('Give a time of the day in UTC, such as 09:30.');
  return (Number(hours) * 60 + Number(minutes)) * MINUTE_MS;
}

/**
 * When the first of several is due: one interval from now, at the full minute, or the next time that it is so late in the day. Pure.
 *
 * @param everyMs milliseconds between two
 * @param at milliseconds after midnight, UTC
 * @param now milliseconds since the epoch, as is what is returned
 * @throws KubewrightError KW117 for a time of the day with an interval that is no number of days: the next one would be at another
 */
export function firstDue(everyMs: number, at: number | undefined, now: number): number {
  if (at === undefined) return Math.floor(now / MINUTE_MS) * MINUTE_MS + everyMs;
  if (everyMs % DAY_MS !== 0) {
    throw new KubewrightError('KW117', '--at goes with whole days: what is due every 36h is at another time each day', {
      hint: 'Give --every in days, such as 30d, or leave --at out.',
    });
  }
  const today = Math.floor(now / DAY_MS) * DAY_MS + at;
  return today > now ? today : today + DAY_MS;
}
