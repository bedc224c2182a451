import { describe, expect, it } from 'vitest';
import type { Step } from '../../../../src/plan/types.js';
import { GroupBooks } from '../../../../src/workflows/engine/group-books.js';
import { Ledger } from '../../../../src/workflows/engine/ledger.js';
import { verdictOn } from '../../../../src/workflows/engine/messages.js';
import { Overview } from '../../../../src/workflows/engine/overview.js';
import { VERBS } from '../../../../src/workflows/types.js';

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

function books(): { ledger: Ledger; overview: Overview } {
  const ledger = new Ledger({ units: [STEP], workers: new Set(['w-1']) });
  return { ledger, overview: new Overview('demo', [STEP], ledger, new GroupBooks([], 'cluster/demo')) };
}

describe('a run that is ending', () => {
  it.each(VERBS)('takes no %s between its last step and its end: it would be answered and not be done', (verb) => {
    const { ledger, overview } = books();
    ledger.started(STEP);
    expect(verdictOn(verb, { seen: 0 }, overview)).not.toMatchObject({ code: 'KW807' });
    ledger.finished(STEP, { outcome: 'changed', summary: '' });
    expect(verdictOn(verb, { seen: 1 }, overview)).toMatchObject({ code: 'KW807' });
  });

  it.each(VERBS)('takes no %s while it is being aborted', (verb) => {
    const { ledger, overview } = books();
    ledger.started(STEP);
    ledger.close('aborted');
    expect(verdictOn(verb, { seen: 0 }, overview)).toMatchObject({ code: 'KW807' });
  });
});
