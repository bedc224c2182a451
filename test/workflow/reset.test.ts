import Long from 'long';
import { describe, expect, it } from 'vitest';
import { decide } from '../../src/engine/runs/decide.js';

import { watchRun } from '../../src/engine/runs/watch-run.js';
import type { RunSnapshot } from '../../src/engine/types.js';
import { engine, fakes, useFreshWorkers } from './fresh-worker.js';
import { blocked, closed, startTest, step, until } from './harness.js';

useFreshWorkers();

/** WorkflowTaskStarted of the first task: the earliest event that a Reset takes, as the UI offers it. */
const EARLY_EVENT = 3;
/** temporal.api.enums.v1.ResetReapplyExcludeType */
const SIGNAL_AND_UPDATE = [1, 2];

async function reset(workflowId: string, runId: string, exclude: number[] = []): Promise<string> {
  const { workflowService } = engine.client;
  const response = await workflowService.resetWorkflowExecution({
    namespace: 'default',
    workflowExecution: { workflowId, runId },
    workflowTaskFinishEventId: Long.fromNumber(EARLY_EVENT + 1),
    reason: 'test',
    requestId: `${workflowId}-${runId}`,
    resetReapplyExcludeTypes: exclude,
  });
  return response.runId;
}

describe('a Reset of an aborted install to an early event', () => {
  it.each([
    ['with its later messages', []],
    ['without them', SIGNAL_AND_UPDATE],
  ])('%s runs every step anew, and old decisions change nothing', async (_name, exclude) => {
    fakes.failing('b/two', 4);
    const { cluster, workflowId, runId } = await startTest(engine, [step('a/one'), step('b/two', ['a/one'])]);
    await until(engine, cluster.name, blocked());
    await decide(engine, cluster.name, 'retry');
    await until(engine, cluster.name, (now) => now.progress.blocked[0]?.blocking === 2);
    await decide(engine, cluster.name, 'abort', { reason: 'no time today' });
    await until(engine, cluster.name, closed);

    fakes.on('a/one', () => ({ outcome: 'unchanged', summary: 'it stands' }));
    const newRun = await reset(workflowId, runId, exclude);
    expect(newRun).not.toBe(runId);
    const end = await until(engine, cluster.name, closed);
    expect(end.runId).toBe(newRun);
    expect(end.status).toBe('completed');
    expect(end.result).toMatchObject({ changed: 1, unchanged: 1 });
    // Hosts know the new run as the one that it began as.
    const roots = fakes.calls
      .filter(({ input }) => input.root.workflowId === workflowId)
      .map(({ input }) => input.root);
    expect(roots.at(-1)).toEqual({ workflowId, runId: newRun, first: runId });
    expect(roots[0]).toEqual({ workflowId, runId, first: runId });
    expect(end.progress.decisions.every((record) => record.ignored !== undefined)).toBe(true);
  });

  it('with a later signal: the new run records it as ignored, also an abort typed without any number', async () => {
    fakes.failing('a/one', 4);
    const { cluster, workflowId, runId } = await startTest(engine, [step('a/one')]);
    await until(engine, cluster.name, blocked());
    const handle = engine.client.workflow.getHandle(workflowId, runId);
    await handle.signal('retry', { step: 'a/one', blocking: 1 });
    await until(engine, cluster.name, (now) => now.progress.blocked[0]?.blocking === 2);
    await handle.signal('abort');
    await until(engine, cluster.name, closed);

    await reset(workflowId, runId);
    const end = await until(engine, cluster.name, closed);
    expect(end.status).toBe('completed');
    expect(end.progress.decisions.map((record) => record.ignored?.slice(0, 5))).toEqual(['KW806', 'KW809']);
  });
});

describe('watching an install', () => {
  it('goes on with the new run when the running one is reset', async () => {
    fakes.failing('b/two', 2);
    const { cluster, workflowId, runId } = await startTest(engine, [step('a/one'), step('b/two', ['a/one'])]);
    await until(engine, cluster.name, blocked());
    const seen: RunSnapshot[] = [];
    let newRun = '';
    for await (const snapshot of watchRun(engine, cluster.name, { intervalMs: 100 })) {
      seen.push(snapshot);
      if (newRun === '') newRun = await reset(workflowId, runId);
    }
    expect(seen[0]).toMatchObject({ runId, status: 'running' });
    expect(seen.at(-1)).toMatchObject({ runId: newRun, status: 'completed' });
    expect(seen.some((snapshot) => snapshot.status === 'terminated')).toBe(false);
  });

  it('says at once that there is no such install', async () => {
    const watching = watchRun(engine, 'nowhere').next();
    await expect(watching).rejects.toMatchObject({ code: 'KW523' });
  });

  it('ends with how a terminated run ended', async () => {
    fakes.failing('a/one');
    const { cluster, workflowId } = await startTest(engine, [step('a/one')]);
    await until(engine, cluster.name, blocked());
    await engine.client.workflow.getHandle(workflowId).terminate('by an operator');
    const seen: RunSnapshot[] = [];
    for await (const snapshot of watchRun(engine, cluster.name, { intervalMs: 50 })) seen.push(snapshot);
    expect(seen.at(-1)).toMatchObject({ status: 'terminated', failure: { code: 'KW522' } });
    expect(seen).toHaveLength(1);
  });
});
