import { describe, expect, it } from 'vitest';
import {
  type AppliedCluster,
  type GivenBack,
  leavingOf,
  leftOutOf,
  newer,
} from '../../../src/engine/runs/applied-cluster.js';
import { planReset } from '../../../src/plan/reset.js';
import { clusterOf } from '../cluster-fixture.js';

const cluster = clusterOf({ controlPlanes: 1, workers: 3 });

describe('what was applied last', () => {
  const record = (at: number): AppliedCluster => ({ from: 'record', cluster, at });
  const run = (at: number): AppliedCluster => ({ from: 'run', cluster, at });

  it('is what a check has read that began behind the operation, else what the operation was started with', () => {
    expect(newer(record(2), run(1))?.from).toBe('record');
    expect(newer(record(1), run(2))?.from).toBe('run');
    expect(newer(undefined, run(2))?.from).toBe('run');
    expect(newer(record(1), undefined)?.from).toBe('record');
    expect(newer(undefined, undefined)).toBeUndefined();
  });

  it('is nothing behind a reset of the whole cluster, until a check has read a record again', () => {
    const reset: GivenBack = { from: 'reset', at: 2 };
    expect(newer(record(1), reset)).toBe(reset);
    expect(newer(record(3), reset)?.from).toBe('record');
  });

  it('lacks the host that a reset took out, and all of them where it was of the whole cluster', () => {
    expect(leavingOf(planReset(cluster, { host: 'w-2' }))).toEqual(['w-2']);
    expect(leavingOf(planReset(cluster))).toBe('all');
  });

  it('has no workers that a person left out, or that never answered; a skipped step of another host leaves nobody out', () => {
    const skipped = ['w-1/join', 'w-1/packages', 'cp-1/images', 'cluster/dns'];
    expect([...leftOutOf(cluster, { skipped, unreachable: ['w-3'] })].sort()).toEqual(['w-1', 'w-3']);
    expect(leftOutOf(cluster).size).toBe(0);
  });
});
