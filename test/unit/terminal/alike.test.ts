import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { alike, causeOf, ToldCauses, type Trouble } from '../../../src/terminal/alike.js';

const ADDRESSES = { 'w-1': '10.88.0.21', 'w-2': '10.88.0.22', 'w-10': '10.88.0.210' };

function trouble(host: string, fields: Partial<Trouble> = {}): Trouble {
  const facts = { code: 'KW431', message: `${host}: apt failed`, hint: 'Mend it.', output: 'E: no such mirror\n' };
  return { step: `${host}/packages`, host, ...facts, ...fields };
}

const isAlike = (...troubles: Trouble[]) => alike(troubles, ADDRESSES).length === 1;

describe('the cause that steps share', () => {
  it('is told without the name and the address of the host, and without times', () => {
    const said = (host: keyof typeof ADDRESSES, time: string): Trouble =>
      trouble(host, {
        message: `${host}: no way to ${host} (connect ECONNREFUSED ${ADDRESSES[host]}:22) after ${time}`,
        hint: `On ${host}, see \`journalctl\`; then ssh root@${ADDRESSES[host]}.`,
        output: `2026-11-20T12:00:${time.slice(0, 2)}Z ${host} kubelet: "node \\"${host}\\" not found"`,
      });
    expect(isAlike(said('w-1', '12 s'), said('w-2', '31 s'), said('w-10', '44 s'))).toBe(true);
  });

  it.each([
    ['3 m 05 s', '12.5 s'],
    ['1m30.5s', '200ms'],
    ['I1126 04:38:58.123456    4711 kubelet.go', 'I1126 05:00:01.000001 12 kubelet.go'],
    ['at 04:38:58', 'at 23:00:01'],
  ])('is the same at another time: %s, %s', (one, other) => {
    expect(isAlike(trouble('w-1', { message: one }), trouble('w-1', { message: other }))).toBe(true);
  });

  it.each<[string, Partial<Trouble>]>([
    ['another step', { step: 'w-2/images' }],
    ['another code', { code: 'KW432' }],
    ['another hint', { hint: 'Mend that.' }],
    ['another end of the output', { output: 'E: no space left\n' }],
    ['another host that it names', { message: 'w-2: apt failed at w-1' }],
    ['the address of another one', { message: 'w-2: apt failed at 10.88.0.21' }],
    ['another port', { message: 'w-2: apt failed at 10.88.0.22:80' }],
    ['a person who is asked while it is tried', { retrying: true }],
  ])('is another one with %s', (_, fields) => {
    const plain = trouble('w-1', { message: 'w-1: apt failed at 10.88.0.21:8080' });
    expect(isAlike(plain, trouble('w-2', { message: 'w-2: apt failed at 10.88.0.22:8080' }))).toBe(true);
    expect(isAlike(plain, trouble('w-2', { message: 'w-2: apt failed at 10.88.0.22:8080', ...fields }))).toBe(false);
  });

  it.each([
    ['w-10', 'w-20'],
    ['w-1.example.org', 'w-2.example.org'],
    ['my-w-1', 'my-w-2'],
    ['10.88.0.210', '10.88.0.220'],
    ['110.88.0.21', '110.88.0.22'],
  ])('is another one where a longer name only holds the own one: %s, %s', (one, other) => {
    const says = (host: string, what: string) => trouble(host, { message: `${host}: no way to ${what}` });
    expect(isAlike(says('w-1', one), says('w-2', other))).toBe(false);
  });

  it('does not depend on what an output says long before its end', () => {
    const end = 'E: 1\nE: 2\nE: 3\n';
    expect(isAlike(trouble('w-1', { output: `Get:1\n${end}` }), trouble('w-2', { output: `Hit:7\n${end}` }))).toBe(
      true,
    );
  });

  const hosts = fc.constantFrom('w-1', 'w-2', 'w-10', 'cp.example.org');
  const words = fc.constantFrom(
    'HOST',
    'ADDRESS',
    'w-1',
    'w-10',
    '10.88.0.21',
    '10.88.0.2',
    'port',
    '22',
    '\u0000',
    '0',
    '1',
  );
  const said = fc.array(words, { maxLength: 6 });
  const troubles = fc.array(fc.record({ host: hosts, verb: fc.constantFrom('join', 'images'), said, hint: said }), {
    maxLength: 12,
  });
  const address = (host: string) => ADDRESSES[host as keyof typeof ADDRESSES] ?? '10.88.0.99';
  const spoken = (parts: string[], host: string) =>
    parts.join(' ').replaceAll('HOST', host).replaceAll('ADDRESS', address(host));
  /** What stands in the text once each host's own words are out of it, worked out by words instead of by expressions. */
  const without = (parts: string[], host: string) =>
    parts.map((word) => (word === host ? 'HOST' : word === address(host) ? 'ADDRESS' : word)).join(' ');

  it('loses no step, and never takes two different messages for the same one', () => {
    fc.assert(
      fc.property(troubles, (all) => {
        const made = all.map(({ host, verb, ...each }, index) => ({
          ...trouble(host, { message: spoken(each.said, host), hint: spoken(each.hint, host) }),
          step: `${host}/${verb}`,
          index,
          meant: JSON.stringify([verb, without(each.said, host), without(each.hint, host)]),
        }));
        const groups = alike(made, { ...ADDRESSES, 'cp.example.org': '10.88.0.99' });
        expect(
          groups
            .flat()
            .map(({ index }) => index)
            .sort((a, b) => a - b),
        ).toEqual(made.map(({ index }) => index));
        for (const group of groups) expect(new Set(group.map(({ meant }) => meant)).size).toBe(1);
        expect(groups).toHaveLength(new Set(made.map(({ meant }) => meant)).size);
        const sizes = groups.map((group) => group.length);
        expect(sizes).toEqual([...sizes].sort((a, b) => b - a));
      }),
    );
  });

  it('is found for whatever a host says', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' }), (name, text) => {
        const one = trouble(name, { message: text, output: text });
        expect(causeOf(one, { [name]: text })).toBe(causeOf({ ...one }, { [name]: text }));
      }),
    );
  });
});

describe('what was told', () => {
  it('names the step that a cause was told with, but not to that step itself, nor for another kind', () => {
    const told = new ToldCauses();
    expect(told.before('blocked', trouble('w-1'), ADDRESSES)).toBeUndefined();
    expect(told.before('blocked', trouble('w-2'), ADDRESSES)).toBe('w-1/packages');
    expect(told.before('blocked', trouble('w-1'), ADDRESSES)).toBeUndefined();
    expect(told.before('failed', trouble('w-2'), ADDRESSES)).toBeUndefined();
    expect(told.before('blocked', trouble('w-2', { code: 'KW1' }), ADDRESSES)).toBeUndefined();
  });
});
