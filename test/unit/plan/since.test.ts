import { expect, it } from 'vitest';
import { withSince } from '../../../src/plan/since.js';

const NOW = 9_000;
const finding = (code: string, host: string | null, evidence: string) => ({ code, host, evidence, hint: '' });
const known = (code: string, host: string | null, evidence: string, since: number) => ({ code, host, evidence, since });
const sinceOf = (...args: Parameters<typeof withSince>) => withSince(...args).map(({ since }) => since);

it('what the check before found goes on, and what it did not is new', () => {
  const before = [known('KW601', 'cp-2', 'it says no', 1_000), known('KW476', null, 'not every member answers', 2_000)];
  const now = [
    finding('KW601', 'cp-2', 'no answer'),
    finding('KW601', 'cp-3', 'no answer'),
    finding('KW476', null, 'cp-3 is no member'),
  ];
  expect(sinceOf(now, before, NOW)).toEqual([1_000, NOW, 2_000]);
});

it('several of one code on one host are told by what was seen, whatever its figures are by now', () => {
  const before = [
    known('KW650', 'w-1', '/var is 91 % full', 1_000),
    known('KW650', 'w-1', '/dev/sda1 is 92.5 % full', 2_000),
    known('KW482', null, 'the API is not ready as seen from w-1', 3_000),
    known('KW482', null, 'nobody holds 10.0.0.9', 4_000),
  ];
  const now = [
    finding('KW650', 'w-1', '/dev/sda1 is 95 % full'),
    finding('KW650', 'w-1', '/var is 93.1 % full'),
    finding('KW482', null, 'the API is not ready as seen from w-2'),
    finding('KW482', null, 'the API is not ready as seen from w-1'),
  ];
  expect(sinceOf(now, before, NOW)).toEqual([2_000, 1_000, NOW, 3_000]);
});

it('a clock that went back does not make a finding of the future', () => {
  expect(sinceOf([finding('KW601', 'cp-2', 'no')], [known('KW601', 'cp-2', 'no', NOW + 5_000)], NOW)).toEqual([NOW]);
});
