import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, describe, expect, test } from 'vitest';
import { gatherFacts } from '../../../src/activities/remote-facts.js';
import { quote } from '../../../src/hosts/shell.js';
import type { RemoteHost } from '../../../src/hosts/types.js';

/** This machine's own bash in place of a host's. */
const local = {
  run: async (script: string) => ({ ...(await execa('bash', ['--norc', '-c', script])), exitCode: 0, durationMs: 1 }),
} as unknown as RemoteHost;

const gather = (script: string) => gatherFacts(local, script, new AbortController().signal);

test('facts are what their commands print, and whether they succeed', async () => {
  const facts = await gather(
    "fact one printf 'a b\\n c'\nfact none false\nfact empty true\nfact absent no-such-program",
  );
  expect(facts.text('one')).toBe('a b\n c');
  expect([facts.holds('one'), facts.holds('none'), facts.holds('empty'), facts.holds('absent')]).toEqual([
    true,
    false,
    true,
    false,
  ]);
  expect(facts.text('empty')).toBe('');
});

test.each([
  ['backslashes and quotes', `a\\n "b" 'c' $d \`e\` & %s \\x1f`],
  ['carriage returns', 'a\r\nb\r'],
  ['the character that stands for a line end', 'a\x1fb\nc'],
  ['blank lines and blanks', 'a\n\n  b\t\nc'],
  ['words of the protocol', 'said x 0 y\nfacts end\nfact z 0 eA=='],
  ['as much as stands in a line', '\u{1f600}'.repeat(700)],
  ['more than that', `${'ü'.repeat(701)}\n`],
])('a fact of %s comes as it was', async (_, text) => {
  const facts = await gather(`fact odd printf %s ${quote(text)}`);
  expect(facts.text('odd')).toBe(text.trim());
  expect(facts.holds('x') || facts.holds('z')).toBe(false);
});

test('many short facts that are gathered side by side stay whole', async () => {
  const names = Array.from({ length: 60 }, (_, index) => `short${index}`);
  const script = names.map((name, index) => `fact ${name} bash -c 'yes é${index} | head -n 100' &`).join('\n');
  const facts = await gather(script);
  for (const [index, name] of names.entries()) expect(facts.text(name)).toBe(Array(100).fill(`é${index}`).join('\n'));
});

test('long facts that are gathered side by side stay whole', async () => {
  const names = Array.from({ length: 8 }, (_, index) => `long${index}`);
  const script = names.map((name, index) => `fact ${name} bash -c 'yes ${index} | head -c 200000' &`).join('\n');
  const facts = await gather(`${script}\nwait`);
  for (const [index, name] of names.entries()) {
    expect(facts.text(name).length, name).toBe(199_999);
    expect(new Set(facts.text(name))).toEqual(new Set([String(index), '\n']));
  }
});

test.each([
  ['succeeds', 'echo cp-1', 'yes', 'cp-1'],
  ['says no', 'exit 44', 'no', undefined],
  ['fails', 'echo "etcdserver: leader changed" >&2; exit 1', 'unknown', 'etcdserver: leader changed'],
  ['prints half of it and fails', 'echo half; exit 1', 'unknown', 'the question failed with exit code 1'],
  ['is killed', 'kill -9 $BASHPID', 'unknown', 'the question failed with exit code 137'],
])('a question whose command %s is answered by %s: %s', async (_how, command, is, content) => {
  const facts = await gather(`question() { (${command}); }\nask q question`);
  const answer = facts.answer('q', 'there is none');
  expect(answer.is).toBe(is);
  if (answer.is === 'yes') expect(answer.value).toBe(content);
  if (answer.is === 'unknown') expect(answer.why).toBe(content);
  if (answer.is === 'no') expect(answer.evidence).toBe('there is none');
});

test('a question that fails at once is asked twice more, and the last answer counts', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'kubewright-asked-'));
  const third = `q() { echo x >>${directory}/asked; [ $(wc -l <${directory}/asked) -ge 3 ] || { echo no >&2; return 1; }; echo here; }`;
  const facts = await gather(`${third}\nask q q`);
  expect(facts.answer('q', '')).toEqual({ is: 'yes', value: 'here' });
  const refused = await gather(`q() { echo x >>${directory}/refused; return 44; }\nask q q`);
  expect(refused.answer('q', '').is).toBe('no');
  expect(readFileSync(join(directory, 'refused'), 'utf8')).toBe('x\n');
  rmSync(directory, { recursive: true });
});

test('a question whose program is missing, and one that nobody asked, are unknown', async () => {
  const facts = await gather('ask q no-such-program');
  expect(facts.answer('q', '')).toMatchObject({ is: 'unknown', why: expect.stringContaining('not found') });
  expect(facts.answer('other', '').is).toBe('unknown');
});

test('questions that are asked side by side keep their reasons apart', async () => {
  const names = Array.from({ length: 8 }, (_, index) => `q${index}`);
  const facts = await gather(
    names.map((name) => `${name}() { echo "why of ${name}" >&2; exit 1; }\nask ${name} ${name} &`).join('\n'),
  );
  for (const name of names) expect(facts.answer(name, '')).toEqual({ is: 'unknown', why: `why of ${name}` });
});

test.each([
  ['active', 0, 'yes'],
  ['reloading', 0, 'yes'],
  ['inactive', 3, 'no'],
  ['failed', 3, 'no'],
  ['activating', 3, 'unknown'],
  ['', 1, 'unknown'],
])('of a unit that systemd calls "%s" (exit code %i) it is %s that it runs', async (state, code, is) => {
  const systemctl = `systemctl() { [ "$*" = 'is-active x.service' ] && echo '${state}'; return ${code}; }`;
  const facts = await gather(`${systemctl}\nask q runs x.service`);
  expect(facts.answer('q', '').is).toBe(is);
});

describe('whether a path exists', () => {
  const directory = mkdtempSync(join(tmpdir(), 'kubewright-exists-'));
  mkdirSync(join(directory, 'empty'));
  writeFileSync(join(directory, 'file'), 'content');
  symlinkSync('/nowhere', join(directory, 'dangling'));
  afterAll(() => rmSync(directory, { recursive: true }));

  test.each([
    ['a file', `${directory}/file`, 'yes'],
    ['the second of two', `${directory}/none ${directory}/file`, 'yes'],
    ['a link that leads nowhere', `${directory}/dangling`, 'yes'],
    ['nothing', `${directory}/none`, 'no'],
    ['a pattern that nothing matches', `${directory}/empty/*.yaml`, 'no'],
    ['something below a file', `${directory}/file/below`, 'no'],
    ['a name that no file system takes', `${directory}/${'x'.repeat(300)}`, 'unknown'],
  ])('of %s', async (_what, paths, is) => {
    expect((await gather(`ask q exists ${paths}`)).answer('q', '').is).toBe(is);
  });
});

test.each(['', 'fact one 0 YQ==', 'fact one 0 YQ==\nfacts e', '<html>'])(
  'an answer that did not come whole is no answer: %j',
  async (stdout) => {
    const host = { name: 'w-1', run: async () => ({ stdout, stderr: '', exitCode: 0, durationMs: 1 }) };
    const gathered = gatherFacts(host as unknown as RemoteHost, 'fact one echo a', new AbortController().signal);
    await expect(gathered).rejects.toMatchObject({ code: 'KW437', host: 'w-1', transient: true });
  },
);
