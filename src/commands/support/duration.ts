import { InvalidArgumentError } from 'commander';
import { millisecondsIn } from '../../cluster/duration.js';

const SECOND_MS = 1_000;
const DAY_MS = 86_400 * SECOND_MS;
/** Beyond it a timer of Node's would go off at once. */
const LONGEST_MS = 24 * DAY_MS;

/**
 * Reads a duration as people and other tools write it: `90s`, `45m`, `1h30m`. To be used as an option's parser.
 *
 * @returns milliseconds, at least a second
 * @throws InvalidArgumentError when it is none
 */
export function parseDuration(text: string): number {
  const total = millisecondsIn(text.trim());
  if (total === undefined || total < SECOND_MS)
    throw new InvalidArgumentError('Give a duration such as 90s, 45m or 1h30m.');
  if (total > LONGEST_MS) throw new InvalidArgumentError('Give a duration of at most 24 days.');
  return total;
}

/** Schedules have no timer here; what is longer than a year nobody remembers. */
const LONGEST_INTERVAL_DAYS = 366;

/**
 * Reads the time between two drills: `30d`, `1d12h`, or as `parseDuration`. To be used as an option's parser.
 *
 * @returns milliseconds
 * @throws InvalidArgumentError when it is none, or longer than 366 days
 */
export function parseInterval(text: string): number {
  const [, days, rest = ''] = /^(?:(\d+)d)?(.*)$/s.exec(text.trim()) ?? [];
  if (days === undefined) return parseDuration(text);
  const total = Number(days) * DAY_MS + (rest === '' ? 0 : parseDuration(rest));
  if (total < SECOND_MS) throw new InvalidArgumentError('Give a duration such as 30d, 7d or 36h.');
  if (total > LONGEST_INTERVAL_DAYS * DAY_MS) {
    throw new InvalidArgumentError(`Give a duration of at most ${LONGEST_INTERVAL_DAYS} days.`);
  }
  return total;
}
