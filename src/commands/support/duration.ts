import { InvalidArgumentError } from 'commander';
import { millisecondsIn } from '../../cluster/duration.js';

const SECOND_MS = 1_000;
/** Beyond it a timer of Node's would go off at once. */
const LONGEST_MS = 24 * 24 * 3_600 * SECOND_MS;

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
