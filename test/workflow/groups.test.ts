import Long from 'long';
import { describe, expect, it } from 'vitest';
import { decide } from '../../src/engine/runs/decide.js';
import { progressFromHistory } from '../../src/engine/runs/history.js';
import { describeRun } from '../../src/engine/runs/watch-run.js';
import type { GroupResult } from '../../src/workflows/types.js';
import { transientTrouble } from './fake-activities.js';
import { engine, fakes, useFreshWorkers, worker } from './fresh-worker.js';
import { blocked, closed, groupedPlan, type StartedTest, startGrouped, stateOf, TestWorker, until } from './harness.js';

useFreshWorkers();

/** Starts an install of workers in groups on this test's worker. */
function start(options: Parameters<typeof startGrouped>[1] = {}): Promise<StartedTest> {
  return startGrouped(engine, options);
}

function groupOf({ workflowId }: StartedTest, group: string) {
  return engine.client.workflow.getHandle(`${workflowId}/${group}`);
}

describe('a run whose workers are in groups', () => {
  it('carries out every step once, in an order that the plan allows, and ends as one', async () => {
    const { cluster } = await start();
    const end = await until(engine, cluster.name, closed);
    expect({ status: end.status, failure: end.failure }).toEqual({ status: 'completed', failure: undefined });
    expect(fakes.calls.map((call) => call.step).sort()).toEqual(
      groupedPlan()
        .map(({ id }) => id)
        .sort(),
    );
    for (const { id, needs } of groupedPlan()) {
      for (const need of needs) {
        expect(fakes.trace.indexOf(`-${need}`), `${need} before ${id}`).toBeGreaterThanOrEqual(0);
        expect(fakes.trace.indexOf(`-${need}`), `${need} before ${id}`).toBeLessThan(fakes.trace.indexOf(`+${id}`));
      }
    }
    expect(end.progress.steps.map(({ id, state }) => [id, state])).toEqual(groupedPlan().map(({ id }) => [id, 'done']));
    expect(end.result).toMatchObject({ changed: groupedPlan().length, unchanged: 0, skipped: [] });
    await worker.stop();
    // Without a worker the histories of root and groups say the same.
    const { progress, source } = await describeRun(engine, cluster.name);
    expect(source).toBe('history');
    expect(progress.steps.map(({ id, state }) => [id, state])).toEqual(groupedPlan().map(({ id }) => [id, 'done']));
    // A look takes the steps of a group that is over from its result; its history says the same.
    for (const { workflowId, runId = '' } of progress.groups ?? []) {
      const { steps } = (await engine.client.workflow.getHandle(workflowId, runId).result()) as GroupResult;
      const told = await progressFromHistory(engine, workflowId, runId);
      expect(steps.map(({ id, state, summary }) => [id, state, summary])).toEqual(
        told.steps.map(({ id, state, summary }) => [id, state, summary]),
      );
      expect(steps.length).toBeGreaterThan(0);
    }
  });

  it('shows a blocked step of a group, and a retry that is sent to the root reaches it', async () => {
    fakes.failing('w-3/prepare', 2);
    const { cluster, workflowId } = await start();
    const stuck = await until(engine, cluster.name, blocked());
    expect(stuck.progress.blocked[0]).toMatchObject({
      step: 'w-3/prepare',
      code: 'KW421',
      output: 'dial tcp: connection refused',
    });
    // The others go on: also those of the same group.
    await until(engine, cluster.name, (now) =>
      ['w-1', 'w-2', 'w-4'].every((host) => stateOf(now, `${host}/join`) === 'done'),
    );
    const root = engine.client.workflow.getHandle(workflowId);
    await expect
      .poll(async () => (await root.describe()).searchAttributes)
      .toMatchObject({ KubewrightBlocked: [1], KubewrightBlockedSteps: ['w-3/prepare'], KubewrightState: ['blocked'] });
    await expect(decide(engine, cluster.name, 'retry', { step: 'w-4/prepare' })).rejects.toMatchObject({
      code: 'KW801',
    });
    await expect(decide(engine, cluster.name, 'retry', { step: 'w-3/prepair' })).rejects.toMatchObject({
      code: 'KW802',
      hint: expect.stringContaining('w-3/prepare'),
    });
    // As a person types it into Temporal's UI, who sees one blocked step.
    const answer = await root.executeUpdate('retry');
    expect(answer).toMatchObject({ steps: ['w-3/prepare'] });
    expect((await until(engine, cluster.name, closed)).status).toBe('completed');
  });

  it('retries all that is blocked, in all groups and in the root, with *', async () => {
    for (const id of ['w-1/look', 'w-4/look', 'cp-1/look']) fakes.failing(id, 2);
    const { cluster } = await start();
    await until(engine, cluster.name, blocked(3));
    const { addresses } = await describeRun(engine, cluster.name);
    expect(addresses).toEqual(Object.fromEntries(cluster.hosts.map(({ name, address }) => [name, address])));
    const { steps } = await decide(engine, cluster.name, 'retry', { step: '*' });
    expect(steps?.sort()).toEqual(['cp-1/look', 'w-1/look', 'w-4/look']);
    expect((await until(engine, cluster.name, closed)).status).toBe('completed');
  });

  it('retries and skips one step of all hosts, in all groups and in the root, with * in place of the host', async () => {
    for (const id of ['w-1/look', 'w-4/look', 'cp-1/look']) fakes.failing(id, 2);
    fakes.failing('w-2/prepare');
    const { cluster } = await start();
    await until(engine, cluster.name, blocked(3));
    await expect(decide(engine, cluster.name, 'retry', { step: '*/jion' })).rejects.toMatchObject({ code: 'KW801' });
    const { steps } = await decide(engine, cluster.name, 'retry', { step: '*/look' });
    expect(steps?.sort()).toEqual(['cp-1/look', 'w-1/look', 'w-4/look']);
    await until(engine, cluster.name, blocked());
    await decide(engine, cluster.name, 'skip', { step: '*/prepare', reason: 'taken back' });
    const end = await until(engine, cluster.name, closed);
    expect(end.result?.skipped.sort()).toEqual(['w-2/join', 'w-2/prepare']);
  });

  it('leaves a worker out with a skipped step; the steps of the root see the cluster without it', async () => {
    fakes.failing('w-2/prepare');
    const { cluster } = await start();
    await until(engine, cluster.name, blocked());
    await expect(decide(engine, cluster.name, 'skip', { step: 'w-2/prepare' })).rejects.toMatchObject({
      code: 'KW803',
    });
    await decide(engine, cluster.name, 'skip', { step: 'w-2/prepare', reason: 'taken back' });
    const end = await until(engine, cluster.name, closed);
    expect(end.result?.skipped.sort()).toEqual(['w-2/join', 'w-2/prepare']);
    const verify = fakes.calls.find((call) => call.step === 'cluster/verify');
    expect(verify?.input.without).toEqual(['w-2']);
    await worker.stop();
    const { progress } = await describeRun(engine, cluster.name);
    expect(progress.steps.filter(({ state }) => state === 'skipped').map(({ id }) => id)).toEqual([
      'w-2/prepare',
      'w-2/join',
    ]);
  });

  it('leaves out a worker that never answers, where it is told to, and names it', async () => {
    fakes.failing('w-4/look', Number.POSITIVE_INFINITY, transientTrouble);
    const { cluster } = await start({ unreachableWorkers: 'leave-out', patienceMs: 100 });
    const end = await until(engine, cluster.name, closed);
    expect(end.status).toBe('completed');
    expect(end.result).toMatchObject({ unreachable: ['w-4'], skipped: ['w-4/look', 'w-4/prepare', 'w-4/join'] });
    expect(fakes.calls.find((call) => call.step === 'cluster/compare')?.input.without).toEqual(['w-4']);
  });

  it('stops what runs in groups when it is aborted, and says what could not be stopped', async () => {
    const held = [fakes.holding('w-1/prepare'), fakes.holding('w-3/prepare'), fakes.holding('cp-1/init')];
    const test = await start();
    const { cluster } = test;
    await until(engine, cluster.name, (now) =>
      ['w-1/prepare', 'w-3/prepare', 'cp-1/init'].every((id) => now.activities[id] !== undefined),
    );
    fakes.stopFailure = 'no answer';
    await decide(engine, cluster.name, 'abort', { reason: 'wrong hosts' });
    const end = await until(engine, cluster.name, closed);
    expect(end.failure).toMatchObject({ code: 'KW810', message: expect.stringContaining('wrong hosts') });
    for (const id of ['w-1/prepare', 'w-3/prepare', 'cp-1/init']) expect(end.failure?.message).toContain(id);
    for (const group of ['group-1', 'group-2'])
      expect((await groupOf(test, group).describe()).status.name).toBe('FAILED');
    for (const { release } of held) release();
  });

  it('goes on after its worker was lost', async () => {
    const held = fakes.holding('w-3/prepare');
    const { cluster } = await start();
    await until(engine, cluster.name, (now) => now.activities['w-3/prepare'] !== undefined);
    await worker.stop();
    const away = await describeRun(engine, cluster.name);
    expect(away.source).toBe('history');
    expect(stateOf(away, 'w-3/look')).toBe('done');
    held.release();
    const other = await TestWorker.start(engine, fakes);
    try {
      expect((await until(engine, cluster.name, closed)).status).toBe('completed');
    } finally {
      await other.stop();
    }
  });
});

describe('a group that is ended from outside', () => {
  it('is begun anew by itself once, then waits for a person, who has it begun anew', async () => {
    const held = fakes.holding('w-3/prepare');
    const test = await start();
    for (const _ of ['first', 'second']) {
      await until(engine, test.cluster.name, (now) => now.activities['w-3/prepare'] !== undefined);
      const { runId } = await groupOf(test, 'group-2').describe();
      await engine.client.workflow.getHandle(`${test.workflowId}/group-2`, runId).terminate('by hand');
      await until(engine, test.cluster.name, (now) => now.activities['w-3/prepare'] === undefined);
    }

    const stuck = await until(engine, test.cluster.name, blocked());
    expect(stuck.progress.blocked[0]).toMatchObject({
      step: 'group-2',
      code: 'KW564',
      hint: expect.stringContaining('kubewright retry group-2'),
    });
    held.release();
    await decide(engine, test.cluster.name, 'retry', { step: 'group-2' });
    expect((await until(engine, test.cluster.name, closed)).status).toBe('completed');
  });
});

/** To just before an event, which is the end of a workflow task. @returns the new run */
async function resetTo(taskEnd: number, { workflowId, runId }: { workflowId: string; runId: string }): Promise<string> {
  const response = await engine.client.workflowService.resetWorkflowExecution({
    namespace: 'default',
    workflowExecution: { workflowId, runId },
    workflowTaskFinishEventId: Long.fromNumber(taskEnd),
    reason: 'test',
    requestId: `${workflowId}-${taskEnd}`,
  });
  return response.runId;
}

describe('a root that is reset', () => {
  it.each([
    ['to its beginning: the groups of the former run let go, and new ones begin', 4],
    ['to a later event: its groups go on', undefined],
  ])('%s', async (_name, event) => {
    const held = fakes.holding('w-3/prepare');
    const test = await start();
    await until(engine, test.cluster.name, (now) => now.activities['w-3/prepare'] !== undefined);
    const { events } = await engine.client.workflow.getHandle(test.workflowId).fetchHistory();
    const ends = (events ?? [])
      .filter((each) => each.workflowTaskCompletedEventAttributes)
      .map((each) => Number(each.eventId));
    const newRun = await resetTo(event ?? (ends.at(-1) as number), test);
    held.release();
    const end = await until(engine, test.cluster.name, (now) => now.runId === newRun && closed(now));
    expect(end.status).toBe('completed');
    expect(end.progress.steps.every(({ state }) => state === 'done')).toBe(true);
  });
});

describe('a group that is reset', () => {
  it('does its steps again from there, and the run ends as one', async () => {
    const held = fakes.holding('w-3/prepare');
    const test = await start();
    await until(engine, test.cluster.name, (now) => now.activities['w-3/prepare'] !== undefined);
    const { runId } = await groupOf(test, 'group-2').describe();
    await resetTo(4, { workflowId: `${test.workflowId}/group-2`, runId });
    held.release();
    const end = await until(engine, test.cluster.name, closed);
    expect(end.status).toBe('completed');
    expect(end.progress.steps.every(({ state }) => state === 'done')).toBe(true);
    expect((await groupOf(test, 'group-2').describe()).status.name).toBe('COMPLETED');
  });
});
