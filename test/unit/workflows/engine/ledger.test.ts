import { describe, expect, it } from 'vitest';
import type { Step } from '../../../../src/plan/types.js';
import { Ledger } from '../../../../src/workflows/engine/ledger.js';

const step = (id: string, more: Partial<Step> = {}): Step => ({
  id,
  phase: 'prepare',
  action: 'importImages',
  host: id.split('/')[0] ?? null,
  title: id,
  needs: [],
  timeoutMinutes: 1,
  skippable: true,
  ...more,
});

describe('a step that lets another one go first', () => {
  const first = step('cp-1/images');
  const other = step('w-2/images');
  const polite = step('w-1/images', { yieldsTo: [first.id, 'of-another-workflow/images'] });
  const failure = { code: 'KW431', message: 'it failed', hint: '', host: '', output: '' };
  const fresh = () => new Ledger({ units: [first, other, polite], workers: new Set(['w-1', 'w-2']) }, () => 1);

  it('waits until that one has ended', () => {
    const ledger = fresh();
    expect(ledger.givesWay(first)).toBe(false);
    expect(ledger.givesWay(polite)).toBe(true);
    ledger.started(first);
    expect(ledger.givesWay(polite)).toBe(true);
    ledger.finished(first, { outcome: 'changed', summary: '' });
    expect(ledger.givesWay(polite)).toBe(false);
  });

  it('does not wait for one that has failed, or while a person is asked about anything', () => {
    const ledger = fresh();
    ledger.started(first);
    ledger.failed(first, failure, 1);
    expect(ledger.givesWay(polite)).toBe(false);

    const asked = fresh();
    asked.parked(other, failure, 3);
    expect(asked.givesWay(polite)).toBe(false);
    asked.retried([other.id]);
    expect(asked.givesWay(polite)).toBe(true);
  });
});
