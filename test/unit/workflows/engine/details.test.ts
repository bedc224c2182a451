import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { currentDetails } from '../../../../src/workflows/engine/details.js';
import type { BlockedStep, RunProgress } from '../../../../src/workflows/types.js';

function blockedStep(fields: Partial<BlockedStep> = {}): BlockedStep {
  const facts = {
    code: 'KW431',
    message: 'join failed',
    hint: 'Open port 6443.',
    output: 'refused',
    tries: 2,
    since: 0,
  };
  return { step: 'cp-2/join', host: 'cp-2', blocking: 1, skippable: false, ...facts, ...fields };
}

function progress(blocked: BlockedStep[]): RunProgress {
  const steps = blocked.map(({ step, host }) => ({
    id: step,
    title: step,
    phase: 'workers' as const,
    host,
    state: 'blocked' as const,
  }));
  return { cluster: 'demo', state: blocked.length > 0 ? 'blocked' : 'running', steps, blocked, decisions: [] };
}

describe('current details', () => {
  it('tell in one table what is blocked, why, and what to do, and below how', () => {
    const text = currentDetails(
      progress([blockedStep(), blockedStep({ step: 'w-1/join', host: 'w-1', skippable: true })]),
    );
    expect(text).toMatch(/^\*\*2 steps are blocked\*\* in cluster \*\*demo\*\*/);
    expect(text).toContain('| cp-2/join | cp-2 | KW431: join failed | Open port 6443. |');
    expect(text).toContain('kubewright retry w-1/join --cluster demo');
    expect(text).toContain('{"step":"cp-2/join","blocking":1}');
    // Only what may be skipped offers it.
    expect(text.match(/`skip` with/g)).toHaveLength(1);
    expect(text).toContain('{"step":"w-1/join","blocking":1,"reason":"…"}');
  });

  it('keep a table whole whatever a command printed', () => {
    const text = currentDetails(
      progress([blockedStep({ message: 'a | b\n| c', hint: '`x` <b>\\', output: '```\nend' })]),
    );
    const row = text.split('\n').find((line) => line.startsWith('| cp-2/join'));
    expect(row?.replaceAll(/\\./g, '').match(/\|/g)).toHaveLength(5);
    // Fences in pairs: what a command prints does not end the block that shows it.
    expect((text.match(/^```$/gm) ?? []).length % 2).toBe(0);
  });

  it('show commands that our hints put into backticks as commands, and every other backtick as the letter it is', () => {
    const cell = (hint: string): string | undefined =>
      currentDetails(progress([blockedStep({ hint })]))
        .split('\n')
        .find((line) => line.startsWith('| cp-2/join'))
        ?.split(' | ')
        .at(-1);
    expect(cell('Run `kubeadm reset -f`, then `rm a_b*` there.')).toBe(
      'Run `kubeadm reset -f`, then `rm a_b*` there. |',
    );
    expect(cell('`ps | wc` and ` alone, _not_ emphasis')).toBe('\\`ps \\| wc\\` and \\` alone, \\_not\\_ emphasis |');
    // Cut in the middle of a command: no half of a pair is left to swallow the rest of the row.
    expect(cell(`${'x'.repeat(395)}\`kubeadm reset\``)).toBe(`${'x'.repeat(395)}\\\`kube |`);
  });

  it('of a run that is ending say what was blocked, and offer nothing to decide', () => {
    const aborted = currentDetails({ ...progress([blockedStep()]), state: 'aborted' });
    expect(aborted).toMatch(
      /^Cluster \*\*demo\*\*: aborted\. .*Blocked until then: cp-2\/join\..*`kubewright install`/,
    );
    expect(aborted).not.toContain('retry');
    const many = Array.from({ length: 5_000 }, (_, index) => blockedStep({ step: `w-${index}/join` }));
    expect(currentDetails({ ...progress(many), state: 'cancelled' })).toContain('w-19/join and 4980 more.');
  });

  it('stay within the 20 KB that Temporal takes, and say what does not fit', () => {
    const many = Array.from({ length: 300 }, (_, index) =>
      blockedStep({ step: `w-${index}/join`, message: 'é'.repeat(4_000) }),
    );
    const text = currentDetails(progress(many));
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(20_000);
    expect(text).toMatch(/… and \d+ more; `kubewright status` shows them all\.$/);
    const word = fc.string({ unit: 'binary', maxLength: 5_000 });
    const steps = fc.array(fc.record({ message: word, hint: word, output: word }), { maxLength: 30 });
    fc.assert(
      fc.property(steps, (list) => {
        const shown = currentDetails(
          progress(list.map((fields, index) => blockedStep({ ...fields, step: `w-${index}/join` }))),
        );
        expect(Buffer.byteLength(shown)).toBeLessThanOrEqual(20_000);
      }),
      { numRuns: 50 },
    );
  });

  it('are one line while nothing is blocked', () => {
    expect(currentDetails(progress([]))).toBe('Cluster **demo**: running. 0 of 0 steps have ended.');
  });
});
