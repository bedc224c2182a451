import { describe, expect, it } from 'vitest';
import { decide } from '../../src/engine/runs/decide.js';
import { listRuns } from '../../src/engine/runs/list-runs.js';
import { startRun } from '../../src/engine/runs/start-run.js';
import { BLOCKED_STEPS, STATE } from '../../src/workflows/engine/search-attributes.js';
import { transientTrouble } from './fake-activities.js';
import { engine, fakes, useFreshWorkers, worker } from './fresh-worker.js';
import { blocked, closed, startTest, stateOf, step, until } from './harness.js';

useFreshWorkers();

describe('abort', () => {
  it('ends the run as failed after every step has let go of its host, and stops what ran there', async () => {
    fakes.failing('cp-2/join');
    fakes.holding('w-1/images');
    const plan = [step('cp-2/join'), step('w-1/images'), step('w-1/join', ['w-1/images'])];
    const { cluster } = await startTest(engine, plan);
    await until(engine, cluster.name, (now) => blocked()(now) && now.activities['w-1/images'] !== undefined);
    const outcome = await decide(engine, cluster.name, 'abort', { reason: 'wrong subnet' });
    expect(outcome).toMatchObject({ via: 'update', steps: [] });
    const end = await until(engine, cluster.name, closed);
    expect(end.status).toBe('failed');
    expect(end.failure).toMatchObject({ code: 'KW810', message: 'aborted by anna@test: wrong subnet.' });
    expect(end.progress.state).toBe('aborted');
    // The blocked step's command has ended; only what ran is stopped, after its activity has let go.
    expect(fakes.stopped).toEqual(['w-1/images']);
    expect(fakes.trace.at(-1)).toBe('-w-1/images');
    expect(fakes.triesOf('w-1/join')).toBe(0);
  });

  it('names what could not be stopped, and does not wait for it for ever', async () => {
    fakes.holding('a/one');
    fakes.stopFailure = 'host is gone';
    const { cluster } = await startTest(engine, [step('a/one')]);
    await until(engine, cluster.name, (now) => now.activities['a/one'] !== undefined);
    await decide(engine, cluster.name, 'abort', { seen: 0 });
    const end = await until(engine, cluster.name, closed);
    expect(end.failure?.message).toBe(
      'aborted by anna@test. What ran for a/one could not be stopped and may still run.',
    );
  });

  it('does not wait behind the steps of others that take every slot of the worker', async () => {
    // Between two tries, so that letting go of it frees no slot either.
    fakes.on('a/one', () => {
      throw transientTrouble();
    });
    const mine = await startTest(engine, [step('a/one')]);
    await until(engine, mine.cluster.name, () => fakes.triesOf('a/one') > 0);
    const many = Array.from({ length: 60 }, (_, index) => step(`c/${index}`));
    for (const { id } of many) fakes.holding(id);
    const theirs = await startTest(engine, many);
    await until(
      engine,
      theirs.cluster.name,
      () => fakes.calls.filter((call) => call.step.startsWith('c/')).length >= 40,
    );
    await decide(engine, mine.cluster.name, 'abort', { seen: 0 });
    const end = await until(engine, mine.cluster.name, closed);
    expect(end.failure?.message).toBe('aborted by anna@test.');
    expect(fakes.stopped).toEqual(['a/one']);
    await decide(engine, theirs.cluster.name, 'abort', { seen: 0 });
    await until(engine, theirs.cluster.name, closed);
  });

  it('typed by hand into a run that has shown nothing yet is taken for one left over from before a Reset', async () => {
    const gate = fakes.holding('a/one');
    const { cluster, workflowId } = await startTest(engine, [step('a/one')]);
    await until(engine, cluster.name, (now) => now.activities['a/one'] !== undefined);
    await engine.client.workflow.getHandle(workflowId).signal('abort');
    const now = await until(engine, cluster.name, (one) => one.progress.decisions.length === 1);
    expect(now.progress.decisions[0]?.ignored).toContain('KW809');
    gate.release();
    expect((await until(engine, cluster.name, closed)).status).toBe('completed');
  });

  it('takes its blocked steps off the list of stuck installs, and still knows them, with and without a worker', async () => {
    fakes.failing('cp-2/join');
    const { cluster, workflowId, runId } = await startTest(engine, [
      step('cp-2/join'),
      step('w-1/join', ['cp-2/join']),
    ]);
    await until(engine, cluster.name, blocked());
    await decide(engine, cluster.name, 'abort');
    const end = await until(engine, cluster.name, closed);
    expect(end.progress.blocked).toMatchObject([{ step: 'cp-2/join', code: 'KW421' }]);
    const { typedSearchAttributes } = await engine.client.workflow.getHandle(workflowId, runId).describe();
    expect(typedSearchAttributes.get(STATE)).toBe('aborted');
    expect(typedSearchAttributes.get(BLOCKED_STEPS)).toBeUndefined();
    const mine = async () => (await listRuns(engine)).filter((listing) => listing.runId === runId);
    await expect.poll(mine).toEqual([expect.objectContaining({ state: 'aborted', blocked: [], status: 'failed' })]);
    await worker.stop();
    const read = await until(engine, cluster.name, (now) => now.source === 'history');
    expect(read.progress.blocked).toMatchObject([{ step: 'cp-2/join', code: 'KW421' }]);
    expect(stateOf(read, 'cp-2/join')).toBe('blocked');
  });

  it('leaves the cluster’s name free for the next install', async () => {
    fakes.failing('a/one', 2);
    const plan = [step('a/one')];
    const { cluster, runId } = await startTest(engine, plan);
    await until(engine, cluster.name, blocked());
    await decide(engine, cluster.name, 'abort');
    await until(engine, cluster.name, closed);
    const next = await startRun(engine, { cluster, plan, planHash: 'other', build: '0.1.0' });
    expect(next).toMatchObject({ attached: false });
    expect(next.runId).not.toBe(runId);
    expect((await until(engine, cluster.name, closed)).status).toBe('completed');
  });
});

describe('cancelling the workflow', () => {
  it('ends it as cancelled: steps let go of their hosts, nothing is stopped there', async () => {
    fakes.failing('cp-2/join');
    fakes.holding('a/one');
    const { cluster, workflowId } = await startTest(engine, [
      step('cp-2/join'),
      step('a/one'),
      step('b/two', ['a/one']),
    ]);
    await until(engine, cluster.name, (now) => blocked()(now) && now.activities['a/one'] !== undefined);
    await engine.client.workflow.getHandle(workflowId).cancel();
    const end = await until(engine, cluster.name, closed);
    expect(end.status).toBe('cancelled');
    expect(end.progress.state).toBe('cancelled');
    expect(fakes.trace.at(-1)).toBe('-a/one');
    expect(fakes.stopped).toEqual([]);
    expect(stateOf(end, 'b/two')).toBe('waiting');
    const { typedSearchAttributes } = await engine.client.workflow.getHandle(workflowId).describe();
    expect(typedSearchAttributes.get(BLOCKED_STEPS)).toBeUndefined();
  });
});
