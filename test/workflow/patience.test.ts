import { ApplicationFailure } from '@temporalio/common';
import { Worker } from '@temporalio/worker';
import { describe, expect, inject, it } from 'vitest';
import { decide } from '../../src/engine/runs/decide.js';
import { beating, changed, transientTrouble } from './fake-activities.js';
import { engine, fakes, useFreshWorkers, worker } from './fresh-worker.js';
import { blocked, closed, startTest, stateOf, step, until } from './harness.js';
import { exportHistory, importHistory } from './histories.js';

useFreshWorkers();

const PATIENCE_MS = 1_500;

/** A host that does not answer until `back` is called. */
function away(...steps: string[]): { back(): void } {
  let gone = true;
  for (const id of steps) {
    fakes.on(id, () => {
      if (gone) throw transientTrouble();
      return changed;
    });
  }
  return {
    back: () => {
      gone = false;
    },
  };
}

describe('a host that does not answer', () => {
  it('asks for a person once patience is used up, is tried all the same, and goes on by itself when it comes back', async () => {
    const host = away('cp-2/join');
    const { cluster, workflowId, runId } = await startTest(
      engine,
      [step('cp-2/join'), step('b/two', ['cp-2/join'])],
      'hash',
      PATIENCE_MS,
    );
    const asked = await until(engine, cluster.name, blocked());
    expect(asked.progress.state).toBe('blocked');
    expect(stateOf(asked, 'cp-2/join')).toBe('blocked');
    expect(asked.progress.blocked[0]).toMatchObject({
      step: 'cp-2/join',
      code: 'KW201',
      message: 'no connection',
      retrying: true,
      tries: 0,
      blocking: 1,
    });
    const tries = fakes.triesOf('cp-2/join');
    await until(engine, cluster.name, () => fakes.triesOf('cp-2/join') > tries + 1);
    // Asked once: a month of silence must not fill the history.
    expect((await until(engine, cluster.name, blocked())).progress.blocked[0]?.blocking).toBe(1);
    host.back();
    const end = await until(engine, cluster.name, closed);
    expect(end.status).toBe('completed');
    expect(end.progress.blocked).toEqual([]);
    expect(end.progress.decisions).toEqual([]);
    const history = importHistory(await exportHistory(engine, { cluster, workflowId, runId }));
    const workflowBundle = { codePath: inject('workflowBundle') };
    await expect(Worker.runReplayHistory({ workflowBundle }, history)).resolves.toBeUndefined();
  });

  it('does not ask for a short interruption of a step that had gone well for longer than patience lasts', async () => {
    fakes.on('a/one', async (_input, attempt) => {
      if (attempt === 1) await beating(new Promise((resolve) => setTimeout(resolve, 2 * PATIENCE_MS)));
      if (attempt === 1) throw transientTrouble();
      return changed;
    });
    const { cluster } = await startTest(engine, [step('a/one')], 'hash', PATIENCE_MS);
    const states = new Set<string | undefined>();
    const end = await until(engine, cluster.name, (now) => {
      states.add(stateOf(now, 'a/one'));
      return closed(now);
    });
    expect(end.status).toBe('completed');
    expect(states).not.toContain('blocked');
  });

  it('can be left out where it is a worker: its other tries end with it, and the rest goes on', async () => {
    away('w-1/preflight', 'w-1/other');
    const plan = [
      step('w-1/preflight'),
      step('w-1/other'),
      step('w-2/preflight'),
      step('cluster/preflight', ['w-1/preflight', 'w-1/other', 'w-2/preflight']),
      step('w-1/join', ['cluster/preflight']),
      step('w-2/join', ['cluster/preflight']),
    ];
    const { cluster, workflowId, runId } = await startTest(engine, plan, 'hash', PATIENCE_MS);
    // What can be looked at is looked at; only the barrier waits.
    const asked = await until(
      engine,
      cluster.name,
      (now) => blocked(2)(now) && stateOf(now, 'w-2/preflight') === 'done',
    );
    expect(stateOf(asked, 'cluster/preflight')).toBe('waiting');
    expect(asked.progress.blocked.every((one) => one.retrying && one.skippable)).toBe(true);
    await decide(engine, cluster.name, 'skip', { step: 'w-1/preflight', reason: 'it is gone' });
    const end = await until(engine, cluster.name, closed);
    expect(end.status).toBe('completed');
    expect(end.result?.skipped).toEqual(['w-1/preflight', 'w-1/other', 'w-1/join']);
    const barrier = fakes.calls.find((call) => call.step === 'cluster/preflight');
    expect(barrier?.input.without).toEqual(['w-1']);
    const history = importHistory(await exportHistory(engine, { cluster, workflowId, runId }));
    const workflowBundle = { codePath: inject('workflowBundle') };
    await expect(Worker.runReplayHistory({ workflowBundle }, history)).resolves.toBeUndefined();
  });

  it('is tried at once when a person says retry, and patience begins anew', async () => {
    away('a/one');
    const { cluster } = await startTest(engine, [step('a/one')], 'hash', PATIENCE_MS);
    await until(engine, cluster.name, blocked());
    await decide(engine, cluster.name, 'retry', { step: 'a/one' });
    const again = await until(engine, cluster.name, (now) => now.progress.blocked[0]?.blocking === 2);
    expect(again.progress.blocked[0]?.retrying).toBe(true);
    const outcome = await decide(engine, cluster.name, 'abort');
    expect(outcome.via).toBe('update');
    expect((await until(engine, cluster.name, closed)).status).toBe('failed');
    // It was being tried, so something of it may have run on the host.
    expect(fakes.stopped).toEqual(['a/one']);
  });

  it('is shown so from the history as well, and never as skipped', async () => {
    away('a/one');
    const { cluster } = await startTest(engine, [step('a/one')], 'hash', PATIENCE_MS);
    const asked = await until(engine, cluster.name, blocked());
    await worker.stop();
    const read = await until(engine, cluster.name, (now) => now.source === 'history');
    const { since: _, ...known } = asked.progress.blocked[0] ?? { since: 0 };
    expect(read.progress.blocked).toEqual([expect.objectContaining(known)]);
    expect(stateOf(read, 'a/one')).toBe('blocked');
    await engine.client.workflow.getHandle(`cluster/${cluster.name}`).terminate();
  });
});

describe('a step that runs into its time limit', () => {
  it('counts as a try although its worker lives and beats, and parks after two', async () => {
    // Nothing ends it: neither the release nor a cancellation.
    fakes.on('a/one', async (_input, attempt) => {
      if (attempt > 1) throw ApplicationFailure.nonRetryable('the server tried again by itself');
      return await beating(new Promise(() => {}));
    });
    const { cluster } = await startTest(engine, [step('a/one', [], { timeoutMinutes: 0.05 })]);
    const parked = await until(engine, cluster.name, blocked());
    expect(parked.progress.blocked[0]).toMatchObject({
      code: 'KW434',
      tries: 2,
      message: expect.stringContaining('did not end within its limit'),
    });
    expect(parked.progress.blocked[0]?.retrying).toBeUndefined();
    expect(fakes.triesOf('a/one')).toBe(2);
    await decide(engine, cluster.name, 'abort');
    await until(engine, cluster.name, closed);
  });
});
