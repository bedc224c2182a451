import { describe, expect, it } from 'vitest';
import { duration, elapsed, lastLines, offset, printable, truncate, wrap } from '../../../src/terminal/text.js';

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
