import { describe, expect, it } from 'vitest';
import type { Writer } from '../../../../src/activities/lease/lease.js';
import { problemsWith } from './fixtures.js';

const writer: Writer = {
  namespaceId: 'ours',
  workflowId: 'cluster/demo',
  runId: 'run-1',
  order: 1,
  temporal: '127.0.0.1:7233, namespace default',
  by: 'anna@desk',
};

/** A lease as the facts script tells it. */
function lease(change: Record<string, string | number> = {}): Record<string, string[][]> {
  const lines = {
    state: 'held',
    holder: 'theirs cluster/demo',
    run: 'run-9',
    temporal: 'team:7233, namespace k8s',
    by: 'otto@team',
    since: 1_790_000_000,
    now: 1_790_000_600,
    left: 3_000,
  };
  return { lease: Object.entries({ ...lines, ...change }).map(([key, value]) => [`${key}=${value}`]) };
}

describe('a host that another run is changing', () => {
  it('is refused before the first change, with which run it is, whose, where and until when', () => {
    expect(problemsWith(lease(), { writer })).toEqual([
      expect.objectContaining({
        code: 'KW590',
        what: 'another run is changing it: run run-9 of cluster/demo (by otto@team, on the Temporal server team:7233, namespace k8s), since 2026-09-21 14:13 UTC and until 2026-09-21 15:13 UTC unless it goes on',
        hint: expect.stringContaining('kubewright unlock cluster.yaml run-9'),
      }),
    ]);
  });

  it('is told by plan, which changes nothing and is of no server', () => {
    expect(problemsWith(lease())).toEqual([
      expect.objectContaining({ code: 'KW590', severity: 'warning', what: expect.stringContaining('run run-9') }),
    ]);
  });

  it('is free when that run has ended, or is of the same Temporal namespace', () => {
    expect(problemsWith(lease({ state: 'released' }), { writer })).toEqual([]);
    expect(problemsWith(lease({ holder: 'ours cluster/demo' }), { writer })).toEqual([]);
    expect(problemsWith({}, { writer })).toEqual([]);
  });

  it('is free when that run has done nothing for long, and that is told', () => {
    expect(problemsWith(lease({ left: 0 }), { writer })).toEqual([
      expect.objectContaining({ code: 'KW590', severity: 'warning', what: expect.stringContaining('has not ended') }),
    ]);
  });

  it('is refused where that cannot be read', () => {
    expect(problemsWith({ lease: [['state=unreadable']] }, { writer })).toEqual([
      expect.objectContaining({ code: 'KW594', hint: expect.stringContaining('remove it') }),
    ]);
  });
});
