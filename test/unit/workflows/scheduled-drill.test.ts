import { ActivityFailure, ApplicationFailure, RetryState } from '@temporalio/common';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { scheduledDrill } from '../../../src/workflows/scheduled-drill.js';
import { clusterOf } from '../cluster-fixture.js';

const due = Date.UTC(2026, 2, 2, 9, 30);
const { prepareDrill, startChild } = vi.hoisted(() => ({ prepareDrill: vi.fn(), startChild: vi.fn() }));
vi.mock('@temporalio/workflow', async (original) => ({
  ...(await original<object>()),
  isCancellation: () => false,
  proxyActivities: () => ({ prepareDrill }),
  startChild,
  workflowInfo: () => ({ startTime: new Date(due) }),
}));

const known = clusterOf({ controlPlanes: 3, workers: 1 });
const MINUTE_MS = 60_000;

/** A drill that is taken up so long after it was due. */
function drillAfter(minutes: number) {
  vi.spyOn(Date, 'now').mockReturnValue(due + minutes * MINUTE_MS);
  return scheduledDrill({ known, options: {} });
}

beforeEach(() => {
  prepareDrill.mockReset().mockResolvedValue({ cluster: known, plan: [], planHash: 'hash', build: 'b' });
  startChild.mockReset().mockResolvedValue({ result: async () => ({}) });
});

describe('a drill that is due by schedule', () => {
  it('is carried out under the id that keeps everything else away, and outlives whoever has started it', async () => {
    expect(await drillAfter(9)).toMatchObject({ outcome: 'drilled' });
    const [, options] = startChild.mock.calls[0] as [string, object];
    expect(options).toMatchObject({ workflowId: `cluster/${known.name}`, parentClosePolicy: 'ABANDON' });
  });

  it('is left out where nobody took it up in time: neither planned nor begun', async () => {
    const { outcome, why } = await drillAfter(11);
    expect(outcome).toBe('skipped');
    expect(why?.message).toContain('no worker took it up within 10 minutes');
    expect(prepareDrill).not.toHaveBeenCalled();
    expect(startChild).not.toHaveBeenCalled();
  });

  it('is left out, too, where the worker that planned it was away for long', async () => {
    prepareDrill.mockImplementation(async () => {
      vi.spyOn(Date, 'now').mockReturnValue(due + 600 * MINUTE_MS);
      return { cluster: known, plan: [], planHash: 'hash', build: 'b' };
    });
    expect(await drillAfter(1)).toMatchObject({ outcome: 'skipped' });
    expect(startChild).not.toHaveBeenCalled();
  });

  it('says why it could not be planned', async () => {
    const cause = ApplicationFailure.create({
      type: 'KW670',
      message: 'no worker',
      details: [{ hint: 'Name others.' }],
    });
    prepareDrill.mockRejectedValue(
      new ActivityFailure(
        'failed',
        'prepareDrill',
        'cluster/prepare-drill',
        RetryState.NON_RETRYABLE_FAILURE,
        '',
        cause,
      ),
    );
    expect(await drillAfter(0)).toMatchObject({
      outcome: 'refused',
      why: { code: 'KW670', message: 'no worker', hint: 'Name others.' },
    });
  });
});
