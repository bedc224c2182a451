import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  duration,
  elapsed,
  firstNames,
  fittingNames,
  lastLines,
  offset,
  printable,
  truncate,
  truncateMiddle,
  wrap,
} from '../../../src/terminal/text.js';

describe('text', () => {
  it('is cut by columns, not by characters', () => {
    expect(truncate('abcdef', 6)).toBe('abcdef');
    expect(truncate('abcdefg', 6)).toBe('abcde…');
    expect(truncate('日本語日本語', 7)).toBe('日本語…');
    expect(truncate('日本語', 6)).toBe('日本語');
    expect(truncate('👩‍👩‍👧x y', 4)).toBe('👩‍👩‍👧x…');
    expect(truncate('abc', 0)).toBe('');
  });

  it('loses what would steer the terminal', () => {
    expect(printable('\u001b[31mred\u001b[0m\tand\u0007 \u001b]8;;http://x\u0007link\u001b]8;;\u0007')).toBe(
      'red    and link',
    );
  });

  it('ends with its last lines that say something', () => {
    expect(lastLines('a\r\nb\n\n  \nprogress 1%\rprogress 2%\n', 2)).toEqual(['progress 1%', 'progress 2%']);
  });

  it('is broken at spaces; what has none stays whole', () => {
    expect(wrap('one two  three', 7)).toEqual(['one two', 'three']);
    expect(wrap('kubewright-retry', 7)).toEqual(['kubewright-retry']);
    expect(wrap('', 7)).toEqual([]);
  });

  it('loses the middle of a name: names of hosts differ at their ends', () => {
    expect(truncateMiddle('worker-0001.example.org', 12)).toBe('worker…e.org');
    expect(truncateMiddle('worker-0001', 11)).toBe('worker-0001');
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 3, max: 40 }), (name, columns) => {
        expect(truncateMiddle(name, columns)).toHaveLength(Math.min(name.length, columns));
      }),
    );
  });

  it('names as many as fit and counts the others, so that none is lost', () => {
    expect(fittingNames(['w-1', 'w-2', 'w-3'], 80, 2)).toEqual(['w-1, w-2, w-3']);
    expect(fittingNames(['w-1', 'w-2', 'w-3', 'w-4'], 20, 1)).toEqual(['w-1, w-2 and 2 more']);
    expect(firstNames(['w-1', 'w-2', 'w-3'], 2)).toBe('w-1, w-2 and 1 more');
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 30, max: 120 }), (count, columns) => {
        const names = Array.from({ length: count }, (_, index) => `w-${index}`);
        const rows = fittingNames(names, columns, 2);
        expect(rows.length).toBeLessThanOrEqual(2);
        for (const row of rows) expect(row.length).toBeLessThanOrEqual(columns);
        const text = rows.join(' ');
        const more = Number(/ and (\d+) more$/.exec(text)?.[1] ?? 0);
        expect(text.replace(/ and \d+ more$/, '').split(', ').length + more).toBe(count);
      }),
    );
  });

  it('tells times as people do', () => {
    expect([120, 9_940, 9_960, 59_400, 185_000, 7_800_000].map(duration)).toEqual([
      '0.1 s',
      '9.9 s',
      '10 s',
      '59 s',
      '3 m 05 s',
      '2 h 10 m',
    ]);
    expect([900, 9_040, 185_000].map(elapsed)).toEqual(['0 s', '9 s', '3 m 05 s']);
    expect([0, 7_900, 760_000, 3_723_000].map(offset)).toEqual(['+0:00', '+0:07', '+12:40', '+1:02:03']);
  });
});
