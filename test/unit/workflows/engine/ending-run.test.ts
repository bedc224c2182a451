import { describe, expect, it } from 'vitest';
import type { Step } from '../../../../src/plan/types.js';
import { Ledger } from '../../../../src/workflows/engine/ledger.js';
import { verdictOn } from '../../../../src/workflows/engine/messages.js';
import { VERBS } from '../../../../src/workflows/types.js';
import { clusterOf } from '../../cluster-fixture.js';

const STEP: Step = {
  id: 'w-1/join',
  phase: 'workers',
  action: 'joinWorker',
  host: 'w-1',
  title: 'Join worker w-1',
  needs: [],
  timeoutMinutes: 1,
  skippable: true,
};

function ledger(): Ledger {
  const input = { cluster: clusterOf({ controlPlanes: 1, workers: 1 }), plan: [STEP], planHash: 'x', build: '0.1.0' };
  return new Ledger(input);
}

describe('a run that is ending', () => {
  it.each(VERBS)('takes no %s between its last step and its end: it would be answered and not be done', (verb) => {
    const books = ledger();
    books.started(STEP);
    expect(verdictOn(verb, { seen: 0 }, books)).not.toMatchObject({ code: 'KW807' });
    books.finished(STEP, { outcome: 'changed', summary: '' });
    expect(verdictOn(verb, { seen: 1 }, books)).toMatchObject({ code: 'KW807' });
  });

  it.each(VERBS)('takes no %s while it is being aborted', (verb) => {
    const books = ledger();
    books.started(STEP);
    books.close('aborted');
    expect(verdictOn(verb, { seen: 0 }, books)).toMatchObject({ code: 'KW807' });
  });
});
