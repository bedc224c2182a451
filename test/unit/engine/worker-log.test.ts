import { ApplicationFailure } from '@temporalio/common';
import { describe, expect, it } from 'vitest';
import { workerLog } from '../../../src/engine/worker/log.js';
import { ASK_AGAIN } from '../../../src/workflows/types.js';

function logged(act: (log: ReturnType<typeof workerLog>) => void): string[] {
  const lines: string[] = [];
  act(workerLog({ log: (level, message, meta) => lines.push(`${level} ${message} ${meta?.workflowId ?? ''}`.trim()) }));
  return lines;
}

const workflowId = 'cluster/demo';
const early = ApplicationFailure.nonRetryable(ASK_AGAIN, 'EarlyQuery');

describe("the worker's log", () => {
  it('has what the SDK says', () => {
    expect(logged((log) => log.error('Worker failed', { error: new Error('no memory') }))).toEqual([
      'ERROR Worker failed',
    ]);
    expect(logged((log) => log.info('Worker state changed'))).toEqual(['INFO Worker state changed']);
  });

  it('has one calm line of a query that came too early, not an error and a warning with stacks', () => {
    const lines = logged((log) => {
      log.error('Failed to process Workflow Activation', { workflowId, error: early });
      log.warn('Failing legacy query request', { failure: `Failure { message: "${ASK_AGAIN}" }` });
    });
    expect(lines).toEqual([`INFO ${ASK_AGAIN} ${workflowId}`]);
  });
});
