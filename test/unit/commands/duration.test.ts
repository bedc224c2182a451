import { InvalidArgumentError } from 'commander';
import { expect, it } from 'vitest';
import { parseDuration } from '../../../src/commands/support/duration.js';

it.each([
  ['90s', 90_000],
  ['45m', 2_700_000],
  ['1h30m', 5_400_000],
  ['2h', 7_200_000],
])('reads %s', (text, milliseconds) => {
  expect(parseDuration(text)).toBe(milliseconds);
});

it.each(['', '45', 'm', '0s', '-1m', '1d', '45 m', '30m1h', '1e3s', '1000h'])('refuses %j', (text) => {
  expect(() => parseDuration(text)).toThrow(InvalidArgumentError);
});
