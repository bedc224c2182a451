import { describe, expect, it } from 'vitest';
import { formatProblem } from '../../../src/cluster/problem.js';
import { BASE, brief, edited, parse, problemsOf } from './helpers.js';

/** One problem alone, as `line:column code` and its message. */
function only(text: string): string {
  const problems = problemsOf(text);
  expect(problems.map(brief)).toHaveLength(1);
  return `${problems.map(brief)[0]}: ${problems[0]?.message}`;
}

describe('YAML that cannot be a cluster', () => {
  it.each([
    ['nothing', '', '1:1 empty: the file is empty'],
    ['comments alone', '# a\n# b\n', '1:1 empty: the file is empty'],
    ['an empty document', '---\n...\n', '1:1 empty: the file is empty'],
    ['a text', 'hello', '1:1 bad-value: is of the wrong type'],
    ['a list', '\n- a\n- b', '2:1 bad-value: is of the wrong type'],
    ['a number', '42', '1:1 bad-value: is of the wrong type'],
    ['a control character', 'a: 1\nb: \u0001', '2:4 encoding: the file holds the character U+0001'],
    ['half a surrogate pair', 'a: \ud800', '1:4 encoding: the file holds the character U+D800'],
  ])('%s', (_name, text, expected) => expect(only(text)).toBe(expected));

  it('is refused when it is larger than a cluster can be', () => {
    expect(only(`${BASE}# ${'x'.repeat(1024 * 1024)}`)).toBe('1:1 too-large: the file is larger than 1024 KiB');
  });
});

describe('syntax', () => {
  it.each([
    ['a tab', edited(['    vip:', '\tvip:']), '7:1 yaml-syntax: a tab stands where YAML wants spaces for indentation'],
    [
      'a missing space',
      edited(['name: w-1', 'name:w-1']),
      '18:7 yaml-syntax: there is no ": " after "name:w-1": a key needs a colon and a space',
    ],
    [
      'a second colon',
      edited(['name: demo', 'name: a: b']),
      '4:9 yaml-syntax: a second ": " stands in one value: put it in quotes, or check the indentation of the next line',
    ],
    [
      'a line out of line',
      edited(['      role: worker', '     role: worker']),
      '20:1 yaml-syntax: not valid YAML: sequence item without - indicator',
    ],
    [
      'an open quote',
      edited(['role: worker', 'role: "worker']),
      '21:1 yaml-syntax: not valid YAML: missing closing "quote',
    ],
    [
      'a reserved character',
      edited(['name: demo', 'name: @demo']),
      '4:9 yaml-syntax: a value cannot start with "@": put it in quotes',
    ],
    ['a tag', edited(['name: demo', 'name: !secret demo']), '4:9 yaml-syntax: tags such as !name are not supported'],
    [
      'binary data',
      edited(['name: demo', 'name: !!binary ZGVtbw==']),
      '4:9 yaml-syntax: tags such as !name are not supported',
    ],
    [
      'an old directive',
      `%YAML 3.0\n---\n${BASE}`,
      '1:7 yaml-syntax: this directive is not supported: remove the line',
    ],
  ])('%s is reported at its place', (_name, text, expected) => expect(only(text)).toBe(expected));

  it('reports one problem a line, and not without end', () => {
    const problems = problemsOf(`${'\tx: 1\n'.repeat(50)}`);
    expect(problems).toHaveLength(10);
    expect(new Set(problems.map((problem) => problem.line)).size).toBe(10);
  });
});

describe('structure', () => {
  it('reports a key that stands twice, and everything else too', () => {
    const text = edited(
      ['vip: 10.88.0.100', 'vip: 10.88.0.100\n    vip: 10.88.0.101'],
      ['kind: Cluster', 'kind: Host'],
    );
    expect(problemsOf(text).map(brief)).toEqual(['2:7 bad-value kind', '8:5 duplicate-key']);
  });

  it('takes one document only', () => {
    expect(problemsOf(`${BASE}---\n${BASE}`).map(brief)).toEqual(['22:1 several-documents']);
    expect(parse(`---\n${BASE}...\n`)).toEqual(parse(BASE));
  });

  it.each([
    ['a number', '  sysctls: { 1: x }', '21:14 key-not-text'],
    ['nothing', '  sysctls: { : x }', '21:13 key-not-text'],
    ['a list', '  sysctls: { [a]: x }', '21:14 key-not-text'],
    ['a key of every JavaScript object', '  sysctls: { __proto__: x }', '21:14 reserved-key'],
    ['a constructor', '  runtime: { config: { constructor: { prototype: {} } } }', '21:24 reserved-key'],
  ])('refuses %s as a key', (_name, line, expected) => {
    expect(problemsOf(`${BASE}${line}\n`).map(brief)).toEqual([expected]);
  });

  it.each(['.inf', '.nan', '1e400', '12345678901234567890'])(
    'refuses the number %s, which JSON cannot hold',
    (number) => {
      const text = `${BASE}  kubernetes: { kubelet: { config: { maxPods: ${number} } } }\n`;
      const problems = problemsOf(text);
      expect(problems.map(brief)).toEqual(['21:47 number-too-large']);
      expect(problems[0]?.message).toContain(`the number ${number} exactly`);
    },
  );

  it('reads Windows and old Mac line ends, and a byte-order mark', () => {
    const broken = edited(['address: 10.88.0.21', 'address: x']);
    const expected = problemsOf(broken).map(brief);
    expect(expected).toEqual(['19:16 bad-value spec.hosts[3].address']);
    expect(problemsOf(broken.replaceAll('\n', '\r\n')).map(brief)).toEqual(expected);
    expect(problemsOf(broken.replaceAll('\n', '\r')).map(brief)).toEqual(expected);
    expect(problemsOf(`\ufeff${broken}`).map(brief)).toEqual(expected);
    expect(problemsOf('\ufeffkind: x').map(brief)).toContain('1:7 bad-value kind');
  });
});

describe('aliases and nesting are bounded', () => {
  it('a billion laughs', () => {
    const levels = 'abcdefghij'.split('').map((name, level, all) => {
      const inner = level === 0 ? 'x' : `*${all[level - 1]}`;
      return `${name}: &${name} [${Array(10).fill(inner).join(', ')}]`;
    });
    const [problem] = problemsOf(levels.join('\n'));
    expect(problem?.code).toBe('too-many-values');
  });

  it('an alias of itself', () => {
    expect(problemsOf('a: &a [*a]').map((problem) => problem.code)).toEqual(['too-deep']);
  });

  it('an alias of nothing', () => {
    expect(only(edited(['name: demo', 'name: *nobody']))).toContain('4:9 yaml-alias');
  });

  it.each(['[', '{', '- ', '? ', '{a: '])('twenty thousand times %s', (opening) => {
    expect(problemsOf(opening.repeat(20_000)).map((problem) => problem.code)).toEqual(['too-deep']);
  });

  it('a map deeper than any configuration', () => {
    const deep = Array.from({ length: 80 }, (_, level) => `${'  '.repeat(level)}a:`).join('\n');
    expect(problemsOf(deep).map((problem) => problem.code)).toEqual(['too-deep']);
  });

  it('a map with twenty thousand keys', () => {
    const many = Array.from({ length: 20_000 }, (_, index) => `k${index}: 1`).join('\n');
    const problems = problemsOf(many);
    expect(problems.length).toBeLessThanOrEqual(501);
    expect(problems.at(-1)?.code).toBe('and-more');
  });
});

describe('a message', () => {
  it('shows no character that would steer a terminal', () => {
    const line = `  sysctls: { "a\\e[2J\\u202e": 1 }\n  ssh: { user: "\\e]0;title\\a" }`;
    const text = problemsOf(`${BASE}${line}\n`).map(formatProblem).join('');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    expect(text).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e]/);
    expect(text).toContain('\\u001b[2J\\u202e');
  });
});
