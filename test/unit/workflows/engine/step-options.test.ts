import { expect, it } from 'vitest';
import { planInstall } from '../../../../src/plan/install.js';
import { stepOptions } from '../../../../src/workflows/engine/recoverable-step.js';
import { clusterOf } from '../../cluster-fixture.js';

it('a step that hangs, or whose worker dies, is noticed; what may heal by itself is tried for as long as it takes', () => {
  for (const step of planInstall(clusterOf({ controlPlanes: 3, workers: 1, etcd: 3 }))) {
    const options = stepOptions(step);
    expect(options.startToCloseTimeout, step.id).toMatch(/^\d+ minutes$/);
    expect(options.heartbeatTimeout, step.id).toBe('10 seconds');
    // The server would otherwise try again by itself, and nobody would count it.
    expect(options.retry?.nonRetryableErrorTypes, step.id).toEqual(['TemporalTimeout:StartToClose']);
    expect(options.retry?.maximumAttempts, step.id).toBeUndefined();
    expect(options.scheduleToCloseTimeout, step.id).toBeUndefined();
  }
});
