import { execa } from 'execa';
import { expect, test } from 'vitest';
import { gatherFacts } from '../../../src/activities/remote-facts.js';
import type { RemoteHost } from '../../../src/hosts/types.js';

/** This machine's own bash in place of a host's. */
const local = {
  run: async (script: string) => ({ ...(await execa('bash', ['-c', script])), exitCode: 0, durationMs: 1 }),
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

test('long facts that are gathered side by side stay whole', async () => {
  const names = Array.from({ length: 8 }, (_, index) => `long${index}`);
  const script = names.map((name, index) => `fact ${name} bash -c 'yes ${index} | head -c 200000' &`).join('\n');
  const facts = await gather(`${script}\nwait`);
  for (const [index, name] of names.entries()) {
    expect(facts.text(name).length, name).toBe(199_999);
    expect(new Set(facts.text(name))).toEqual(new Set([String(index), '\n']));
  }
});
