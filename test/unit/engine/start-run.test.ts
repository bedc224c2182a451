import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { startRun } from '../../../src/engine/runs/start-run.js';
import type { Engine } from '../../../src/engine/types.js';
import type { RunInput } from '../../../src/plan/run.js';
import { clusterOf } from '../cluster-fixture.js';

const how = { cluster: clusterOf({ controlPlanes: 1, workers: 1 }), plan: [], planHash: 'x', build: '0.1.0' };
const unmapped = () =>
  new Error('Failed to start Workflow', {
    cause: new Error('3 INVALID_ARGUMENT: Namespace prod has no mapping defined for search attribute KubewrightState'),
  });

/** A server that takes the attributes after so many refusals. */
function engineRefusing(times: number, error = unmapped) {
  const inputs: (boolean | undefined)[] = [];
  const start = async (
    _type: string,
    { args, typedSearchAttributes }: { args: [RunInput]; typedSearchAttributes?: object },
  ) => {
    inputs.push(args[0].searchAttributes);
    if (typedSearchAttributes !== undefined && inputs.length <= times) throw error();
    return { firstExecutionRunId: 'run-1' };
  };
  const engine = { client: { workflow: { start } }, searchAttributes: true, taskQueue: 'q' } as unknown as Engine;
  return { engine, inputs };
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

async function started(engine: Engine) {
  const starting = startRun(engine, how);
  const settled = starting.catch((error: unknown) => error);
  await vi.advanceTimersByTimeAsync(20_000);
  return await settled;
}

it('waits for search attributes that were registered a moment ago', async () => {
  const { engine, inputs } = engineRefusing(3);
  expect(await started(engine)).toEqual({ workflowId: 'cluster/demo', runId: 'run-1', attached: false });
  expect(inputs).toEqual([true, true, true, true]);
});

it('goes without them when they do not come, and says so', async () => {
  const { engine, inputs } = engineRefusing(1_000);
  expect(await started(engine)).toMatchObject({ runId: 'run-1', notice: expect.stringContaining('goes without') });
  expect(inputs.at(-1)).toBe(false);
});

it('does not try again for anything else', async () => {
  const { engine, inputs } = engineRefusing(1_000, () => new Error('Failed to start Workflow'));
  expect(await started(engine)).toMatchObject({ message: 'Failed to start Workflow' });
  expect(inputs).toHaveLength(1);
});
