import { InvalidArgumentError } from 'commander';

const UNITS = { s: 1_000, m: 60_000, h: 3_600_000 } as const;
/** Beyond it a timer of Node's would go off at once. */
const LONGEST_MS = 24 * 24 * UNITS.h;

/**
 * Reads a duration as people and other tools write it: `90s`, `45m`, `1h30m`. To be used as an option's parser.
 *
 * @returns milliseconds, at least a second
 * @throws InvalidArgumentError when it is none
 */
export function parseDuration(text: string): number {
  const parts = /^(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?$/.exec(text.trim());
  const [hours, minutes, seconds] = [parts?.[1], parts?.[2], parts?.[3]].map((part) => Number(part ?? 0));
  const total = (hours ?? 0) * UNITS.h + (minutes ?? 0) * UNITS.m + (seconds ?? 0) * UNITS.s;
  if (parts === null || total < UNITS.s) throw new InvalidArgumentError('Give a duration such as 90s, 45m or 1h30m.');
  if (total > LONGEST_MS) throw new InvalidArgumentError('Give a duration of at most 24 days.');
  return total;
}
