import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PREFLIGHT_CODES } from '../../../src/cluster/preflight-codes.js';
import { BASE, brief, parse, problemsOf } from './helpers.js';

const ignoring = (...entries: string[]) =>
  `${BASE}  preflight:\n    ignore:\n${entries.map((one) => `      - ${one}\n`).join('')}`;

describe('spec.preflight.ignore', () => {
  it('overrules a check for some hosts, or for all, with a reason', () => {
    const text = ignoring(
      '{ code: KW335, hosts: [w-1], reason: "reached by VPN" }',
      '{ code: KW310, reason: it is a test }',
    );
    expect(parse(text).preflight.ignore).toEqual([
      { code: 'KW335', hosts: ['w-1'], reason: 'reached by VPN' },
      { code: 'KW310', hosts: null, reason: 'it is a test' },
    ]);
    expect(parse(BASE).preflight.ignore).toEqual([]);
  });

  it.each([
    ['no reason', '{ code: KW335 }', '23:9 missing spec.preflight.ignore[0].reason'],
    ['an empty reason', '{ code: KW335, reason: " " }', '23:32 bad-value spec.preflight.ignore[0].reason'],
    ['a reason of two lines', '{ code: KW335, reason: "a\\nb" }', '23:32 bad-value spec.preflight.ignore[0].reason'],
    ['something that is no code', '{ code: ports, reason: x }', '23:17 bad-value spec.preflight.ignore[0].code'],
    ['a code that is none', '{ code: KW399, reason: x }', '23:17 unknown-check spec.preflight.ignore[0].code'],
    ['another cluster’s host', '{ code: KW320, reason: x }', '23:17 protected-check spec.preflight.ignore[0].code'],
    [
      'a host that is none',
      '{ code: KW335, hosts: [w-1, w-9], reason: x }',
      '23:37 unknown-host spec.preflight.ignore[0].hosts[1]',
    ],
    [
      'a list without a host',
      '{ code: KW335, hosts: [], reason: x }',
      '23:31 bad-value spec.preflight.ignore[0].hosts',
    ],
  ])('is refused with %s, at its place', (_, entry, expected) => {
    expect(problemsOf(ignoring(entry)).map(brief)).toEqual([expected]);
  });

  it('says why a check cannot be overruled', () => {
    const [problem] = problemsOf(ignoring('{ code: KW336, reason: I know }'));
    expect(problem?.message).toBe(
      "this check (CA certificates of different clusters) cannot be overruled: it protects another cluster's hosts",
    );
  });

  it.each(['KW320', 'KW321', 'KW322', 'KW334', 'KW336', 'KW360', 'KW361'])('never lets %s be overruled', (code) => {
    expect(problemsOf(ignoring(`{ code: ${code}, reason: x }`)).map((one) => one.code)).toEqual(['protected-check']);
  });
});

describe('the list of checks', () => {
  it('has every code that a check of the preflight gives, and no other', () => {
    const sources = ['src/activities', 'src/components'].flatMap((name) => {
      const folder = join(import.meta.dirname, '../../..', name);
      return readdirSync(folder, { recursive: true, encoding: 'utf8' })
        .filter((file) => file.endsWith('.ts'))
        .map((file) => readFileSync(join(folder, file), 'utf8'));
    });
    const given = new Set(sources.join('\n').match(/(?<=')KW3\d\d(?=')/g));
    // Several problems at once: no check of its own.
    given.delete('KW300');
    expect(Object.keys(PREFLIGHT_CODES)).toEqual([...given].sort());
  });
});
