import { describe, expect, it } from 'vitest';
import type { HealthFinding } from '../../../src/plan/run.js';
import { FINDINGS_NAMED } from '../../../src/plan/run.js';
import { type Seen, seenTwice } from '../../../src/plan/seen-twice.js';

const NODES = 'cluster/nodes';
const found = (code: string, host: string | null, look = NODES): HealthFinding => ({
  code,
  host,
  evidence: `${host ?? 'the cluster'} is not well`,
  hint: '',
  look,
});
const notReady = (host: string) => found('KW481', host);
/** Nobody could be asked for the nodes. */
const BLIND = found('KW684', null);

function twice(first: Partial<Seen>, second: Partial<Seen>) {
  const { findings, more, fleeting } = seenTwice(
    { findings: [], more: 0, ...first },
    new Map([[NODES, { findings: [], more: 0, ...second }]]),
    [],
  );
  return { told: findings.map(({ code, host }) => `${code} ${host ?? 'cluster'}`), more, fleeting };
}

describe('what is told of two looks', () => {
  it('is what the second one sees; what is gone is counted', () => {
    expect(twice({ findings: [notReady('w-1'), notReady('w-2')] }, { findings: [notReady('w-2')] })).toEqual({
      told: ['KW481 w-2'],
      more: 0,
      fleeting: 1,
    });
  });

  it('leaves trouble of another host to the next check, and never what concerns the whole cluster', () => {
    const second = [notReady('w-1'), notReady('w-2'), found('KW493', null)];
    expect(twice({ findings: [notReady('w-1')] }, { findings: second }).told).toEqual(['KW481 w-1', 'KW493 cluster']);
  });

  it('is the first look where the second one could not see', () => {
    const first = [notReady('w-1')];
    expect(twice({ findings: first }, { findings: [BLIND] })).toEqual({ told: ['KW481 w-1'], more: 0, fleeting: 0 });
  });

  it('is all that the second one sees where the first one could not, or did not name all', () => {
    const second = [notReady('w-1'), notReady('w-2')];
    expect(twice({ findings: [BLIND] }, { findings: second }).told).toEqual(['KW481 w-1', 'KW481 w-2']);
    const named = twice({ findings: [notReady('w-9')], more: 20 }, { findings: second, more: 3 });
    expect(named).toEqual({ told: ['KW481 w-1', 'KW481 w-2'], more: 3, fleeting: 1 });
  });

  it('never counts as nothing what a look that was not taken again has left unnamed', () => {
    const elsewhere = found('KW646', 'w-3', 'w-3/host');
    expect(twice({ findings: [notReady('w-1'), elsewhere], more: 7 }, {}).more).toBe(7);
    const many = Array.from({ length: FINDINGS_NAMED }, (_, index) => notReady(`w-${index}`));
    expect(twice({ findings: many, more: 7 }, {})).toEqual({ told: [], more: 7, fleeting: FINDINGS_NAMED });
  });

  it('keeps what failed, and what the planning found', () => {
    const failed = found('KW201', 'cp-1', 'cp-1/api-server');
    const { look: _, ...planning } = found('KW603', null);
    // Neither of these two has left anything unnamed.
    const first = { findings: [failed, planning, notReady('w-1')], more: 2 };
    const { findings, more } = seenTwice(first, new Map([[NODES, { findings: [], more: 0 }]]), ['cp-1/api-server']);
    expect(findings).toEqual([failed, planning]);
    expect(more).toBe(0);
  });
});
