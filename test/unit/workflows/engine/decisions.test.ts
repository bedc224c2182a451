import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Step } from '../../../../src/plan/types.js';
import { judge, type Situation } from '../../../../src/workflows/engine/decisions.js';
import { Refusal } from '../../../../src/workflows/engine/refusals.js';
import { type BlockedStep, VERBS, type Verb } from '../../../../src/workflows/types.js';

function step(id: string): Step {
  const fields = { phase: 'workers', action: 'joinWorker', title: id, needs: [], timeoutMinutes: 1 } as const;
  return { id, host: id.split('/')[0] ?? null, skippable: id.startsWith('w-'), ...fields, needs: [] };
}

function blockedStep(id: string, blocking: number): BlockedStep {
  const facts = { code: 'KW431', message: '', hint: '', output: '', tries: 2, since: 0 };
  return { step: id, host: null, blocking, skippable: id.startsWith('w-'), ...facts };
}

function situation(...blocked: BlockedStep[]): Situation {
  const plan = ['cp-1/init', 'cp-2/join', 'w-1/join', 'w-1/images'].map(step);
  return { plan, blocked, ended: 1, blockings: Math.max(0, ...blocked.map((one) => one.blocking)) };
}

/** Ids on which it takes effect, or the refusal's code. */
function outcome(verb: Verb, payload: unknown, at: Situation): string[] | string {
  const verdict = judge(verb, payload, at);
  return verdict instanceof Refusal ? verdict.code : verdict.steps.map((one) => one.step);
}

describe('judging a decision', () => {
  const one = situation(blockedStep('cp-2/join', 1));
  const two = situation(blockedStep('w-1/join', 3), blockedStep('w-1/images', 4));

  it('takes the only blocked step where none is named', () => {
    for (const nothing of [undefined, null, {}, { step: null }])
      expect(outcome('retry', nothing, one)).toEqual(['cp-2/join']);
  });

  it('takes a step by its id, alone or in an object, and all by *', () => {
    expect(outcome('retry', 'w-1/images', two)).toEqual(['w-1/images']);
    expect(outcome('retry', { step: 'w-1/join', blocking: 3 }, two)).toEqual(['w-1/join']);
    expect(outcome('retry', { step: '*' }, two)).toEqual(['w-1/join', 'w-1/images']);
    expect(outcome('skip', { step: '*', reason: 'gone' }, two)).toEqual(['w-1/join', 'w-1/images']);
  });

  it('takes a step of all hosts by * in place of the host, and no step whose verb only ends alike', () => {
    const plan = ['cp-2/join', 'w-1/join', 'w-1/images', 'w-2/re-join'].map(step);
    const many = plan.map(({ id }, index) => blockedStep(id, index + 1));
    const at = { ...situation(...many), plan };
    expect(outcome('retry', '*/join', at)).toEqual(['cp-2/join', 'w-1/join']);
    expect(outcome('skip', { step: '*/images', reason: 'gone' }, at)).toEqual(['w-1/images']);
    expect(outcome('skip', { step: '*/join', reason: 'gone' }, at)).toBe('KW804');
    expect(outcome('skip', { step: '*/images' }, at)).toBe('KW803');
    expect(judge('retry', '*/jion', at)).toMatchObject({
      code: 'KW801',
      message: 'There is nothing to retry: no step like "*/jion" is blocked',
      hint: expect.stringContaining('cp-2/join'),
    });
  });

  it('hands a step of all hosts on to the groups that run: they know which of theirs are blocked', () => {
    const at = { ...situation(blockedStep('cp-2/join', 1)), groups: ['group-01', 'group-02'] };
    expect(judge('retry', '*/join', at)).toMatchObject({
      groups: ['group-01', 'group-02'],
      steps: [{ step: 'cp-2/join' }],
    });
    expect(judge('retry', '*/images', at)).toMatchObject({ groups: ['group-01', 'group-02'], steps: [] });
  });

  it('names some of the steps that cannot be skipped, and counts the others', () => {
    const many = Array.from({ length: 300 }, (_, index) => blockedStep(`cp-${index}/join`, index + 1));
    const { message } = judge('skip', { step: '*', reason: 'gone' }, situation(...many)) as Refusal;
    expect(message).toContain('cp-19/join and 280 more cannot be skipped: the cluster is not whole without them');
  });

  it('is told where to look when it has nothing to decide', () => {
    for (const payload of [undefined, { step: '*' }, { step: 'cp-2/join' }, { step: 'cp-2/jion' }]) {
      expect(judge('retry', payload, situation())).toMatchObject({
        code: expect.stringMatching(/KW80[12]/),
        hint: expect.stringContaining('`kubewright status`'),
      });
    }
  });

  it('takes a blocking by its number alone', () => {
    expect(outcome('retry', { blocking: 4 }, two)).toEqual(['w-1/images']);
    expect(outcome('retry', { blocking: 2 }, two)).toBe('KW806');
  });

  it('takes nothing that answers what is over, or has not been', () => {
    expect(outcome('retry', { step: 'w-1/join', blocking: 2 }, two)).toBe('KW806');
    expect(outcome('retry', { step: 'w-1/join', blocking: 5 }, two)).toBe('KW806');
    expect(outcome('abort', { blocking: 5 }, two)).toBe('KW806');
    expect(outcome('abort', { seen: 2 }, two)).toBe('KW806');
    expect(outcome('abort', { seen: 1 }, two)).toEqual([]);
  });

  it('takes an abort typed by hand only once the run has shown something', () => {
    const fresh = { ...situation(), ended: 0 };
    expect(outcome('abort', undefined, fresh)).toBe('KW809');
    expect(outcome('abort', { seen: 0 }, fresh)).toEqual([]);
    expect(outcome('abort', undefined, { ...fresh, ended: 1 })).toEqual([]);
    expect(outcome('abort', undefined, { ...one, ended: 0 })).toEqual([]);
  });

  it('suggests the blocked step that is meant, else another one of the plan, else none', () => {
    const hint = (name: string, at: Situation): string => {
      const verdict = judge('retry', { step: name }, at);
      return verdict instanceof Refusal ? verdict.hint : '';
    };
    expect(hint('w1/join', two)).toMatch(/^Did you mean w-1\/join\? Blocked: /);
    expect(hint('cp-1/int', two)).toMatch(/^Did you mean cp-1\/init\? /);
    expect(hint('nothing/like-it', two)).toMatch(/^Blocked: w-1\/join, w-1\/images$/);
  });

  it('answers whatever it is sent with steps that are blocked or with a code and a way out', () => {
    const anything = fc.oneof(
      fc.anything(),
      fc.record(
        { step: fc.anything(), reason: fc.anything(), blocking: fc.anything(), seen: fc.anything() },
        { requiredKeys: [] },
      ),
    );
    fc.assert(
      fc.property(fc.constantFrom(...VERBS), anything, fc.constantFrom(one, two, situation()), (verb, payload, at) => {
        const verdict = judge(verb, payload, at);
        if (verdict instanceof Refusal) {
          expect(verdict.code).toMatch(/^KW80[1-9]$/);
          expect(verdict.hint).not.toBe('');
          expect(verdict.toFailure()).toMatchObject({ type: verdict.code, nonRetryable: true });
        } else {
          for (const chosen of verdict.steps) expect(at.blocked).toContain(chosen);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});
