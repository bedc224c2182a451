import { describe, expect, it } from 'vitest';
import { decide } from '../../src/engine/runs/decide.js';

import { listRuns } from '../../src/engine/runs/list-runs.js';
import { brokenStep, transientTrouble } from './fake-activities.js';
import { engine, fakes, useFreshWorkers } from './fresh-worker.js';
import { blocked, closed, logged, startTest, stateOf, step, until } from './harness.js';

useFreshWorkers();

describe('a step that cannot succeed by itself', () => {
  it('is tried twice, parks alone with what a person needs to know, and goes on at retry', async () => {
    fakes.failing('cp-2/join', 2);
    const { cluster } = await startTest(engine);
    const parked = await until(
      engine,
      cluster.name,
      (now) => blocked()(now) && stateOf(now, 'cluster/network') === 'done',
    );
    expect(fakes.triesOf('cp-2/join')).toBe(2);
    expect(parked.progress.state).toBe('blocked');
    expect(parked.progress.blocked[0]).toMatchObject({
      step: 'cp-2/join',
      host: 'cp-2',
      blocking: 1,
      code: 'KW421',
      message: 'kubeadm join failed with exit code 1 after 3 s',
      hint: 'Open port 6443.',
      output: 'dial tcp: connection refused',
      tries: 2,
      skippable: false,
    });
    // What does not need it goes on; what needs it waits.
    await until(engine, cluster.name, (now) => stateOf(now, 'w-2/join') === 'done');
    expect(stateOf(await until(engine, cluster.name, blocked()), 'cluster/nodes')).toBe('waiting');

    const { runId } = await engine.client.workflow.getHandle(`cluster/${cluster.name}`).describe();
    const outcome = await decide(engine, cluster.name, 'retry');
    const message = 'Trying cp-2/join again.';
    expect(outcome).toEqual({ runId, via: 'update', steps: ['cp-2/join'], message });
    const end = await until(engine, cluster.name, closed);
    expect(end.status).toBe('completed');
    expect(end.progress.decisions).toEqual([
      expect.objectContaining({ verb: 'retry', steps: ['cp-2/join'], via: 'update', by: 'anna@test' }),
    ]);
  });

  it('stands in the worker’s log, where a team looks first: blocked for what, and when it goes on', async () => {
    fakes.failing('cp-2/join', 2);
    const { cluster } = await startTest({ ...engine, searchAttributes: false }, [step('cp-2/join')]);
    const mine = () =>
      logged.filter(({ meta }) => meta?.cluster === cluster.name).map(({ message, meta }) => [message, meta?.blocked]);
    await until(engine, cluster.name, blocked());
    await expect.poll(mine).toEqual([
      ['install running', []],
      ['install blocked', ['cp-2/join (KW421)']],
    ]);
    await decide(engine, cluster.name, 'retry');
    await until(engine, cluster.name, closed);
    await expect
      .poll(() => mine().slice(2))
      .toEqual([
        ['install running', []],
        ['install done', []],
      ]);
  });

  it('parks anew, with a new number, when the cause was not mended', async () => {
    fakes.failing('a/one', 4);
    const { cluster } = await startTest(engine, [step('a/one')]);
    await until(engine, cluster.name, blocked());
    await decide(engine, cluster.name, 'retry', { step: 'a/one' });
    const again = await until(engine, cluster.name, (now) => now.progress.blocked[0]?.blocking === 2);
    expect(fakes.triesOf('a/one')).toBe(4);
    expect(again.progress.state).toBe('blocked');
    await decide(engine, cluster.name, 'retry', { blocking: 2 });
    expect((await until(engine, cluster.name, closed)).status).toBe('completed');
  });

  it('is found by a list query while it is blocked, and not after', async () => {
    fakes.failing('a/one', 2);
    const { cluster } = await startTest(engine, [step('a/one', [], { phase: 'workers' })]);
    await until(engine, cluster.name, blocked());
    const mine = async (query: { blocked?: boolean }) =>
      (await listRuns(engine, query)).filter((listing) => listing.cluster === cluster.name);
    // Visibility lags behind the workflow by a moment.
    await expect
      .poll(() => mine({ blocked: true }))
      .toEqual([
        expect.objectContaining({ state: 'blocked', phase: 'workers', blocked: ['a/one'], status: 'running' }),
      ]);
    await decide(engine, cluster.name, 'retry');
    await until(engine, cluster.name, closed);
    await expect
      .poll(() => mine({}))
      .toEqual([expect.objectContaining({ state: 'done', blocked: [], status: 'completed' })]);
    expect(await mine({ blocked: true })).toEqual([]);
  });

  it('is listed before all that has ended since, however much that is', async () => {
    fakes.failing('a/one', 2);
    const waiting = await startTest(engine, [step('a/one')]);
    await until(engine, waiting.cluster.name, blocked());
    const later = await startTest(engine, [step('b/two')]);
    await until(engine, later.cluster.name, closed);
    const first = async () => (await listRuns(engine, { limit: 0 })).map(({ cluster }) => cluster);
    await expect.poll(first).toContain(waiting.cluster.name);
    expect(await first()).not.toContain(later.cluster.name);
    const latest = await listRuns(engine, { latest: true });
    const names = latest.map(({ cluster }) => cluster);
    expect(new Set(names).size).toBe(names.length);
    expect(latest.findIndex(({ status }) => status !== 'running')).toBeGreaterThan(names.indexOf(waiting.cluster.name));
    await decide(engine, waiting.cluster.name, 'retry');
    await until(engine, waiting.cluster.name, closed);
  });

  it('writes no search attributes where the namespace does not know them: they would fail every task of the run', async () => {
    fakes.failing('a/one', 2);
    const { cluster, workflowId } = await startTest({ ...engine, searchAttributes: false }, [step('a/one')]);
    await until(engine, cluster.name, blocked());
    await decide(engine, cluster.name, 'retry');
    expect((await until(engine, cluster.name, closed)).status).toBe('completed');
    const { events } = await engine.client.workflow.getHandle(workflowId).fetchHistory();
    expect(events?.filter((event) => event.upsertWorkflowSearchAttributesEventAttributes)).toEqual([]);
  });

  it('shows in Temporal’s UI what happened and how to go on', async () => {
    fakes.failing('cp-2/join', 2, brokenStep);
    const { cluster, workflowId } = await startTest(engine, [step('cp-2/join')]);
    await until(engine, cluster.name, blocked());
    const metadata = await engine.client.workflow.getHandle(workflowId).query<Metadata>('__temporal_workflow_metadata');
    expect(metadata.currentDetails).toContain('| cp-2/join | cp-2 | KW421: kubeadm join failed');
    expect(metadata.currentDetails).toContain('Open port 6443.');
    expect(metadata.currentDetails).toContain('dial tcp: connection refused');
    expect(metadata.currentDetails).toContain(`kubewright retry cp-2/join --cluster ${cluster.name}`);
    expect(metadata.currentDetails).toContain('{"step":"cp-2/join","blocking":1}');
    const described = (list: { name: string; description: string }[]) =>
      list.filter((one) => one.description.length > 20).map((one) => one.name);
    expect(described(metadata.definition.signalDefinitions).sort()).toEqual(['abort', 'retry', 'skip']);
    expect(described(metadata.definition.updateDefinitions).sort()).toEqual(['abort', 'retry', 'skip']);
    await decide(engine, cluster.name, 'retry');
    await until(engine, cluster.name, closed);
  });

  it('tells why its first try failed while it is tried again, and no more when that went well', async () => {
    const gate = fakes.holding('cp-2/join');
    const hold = fakes.behaviourOf('cp-2/join');
    fakes.on('cp-2/join', (input, attempt) => {
      if (fakes.triesOf('cp-2/join') === 1) throw brokenStep();
      return hold(input, attempt);
    });
    const { cluster } = await startTest(engine, [step('cp-2/join')]);
    const again = await until(engine, cluster.name, () => fakes.triesOf('cp-2/join') === 2);
    const failing = again.progress.steps[0];
    expect(failing).toMatchObject({
      state: 'running',
      failed: { code: 'KW421', host: 'cp-2', hint: 'Open port 6443.', tries: 1 },
    });
    expect(again.progress.blocked).toEqual([]);
    gate.release();
    const end = await until(engine, cluster.name, closed);
    expect(end.status).toBe('completed');
    expect(end.progress.steps[0]?.failed).toBeUndefined();
  });

  it('does not park for what may heal by itself, however often it happens', async () => {
    fakes.on('a/one', (_input, attempt) => {
      if (attempt <= 3) throw transientTrouble();
      return { outcome: 'changed', summary: '' };
    });
    const { cluster } = await startTest(engine, [step('a/one')]);
    const waiting = await until(engine, cluster.name, (now) => (now.activities['a/one']?.attempt ?? 0) >= 3);
    expect(waiting.activities['a/one']).toMatchObject({ failure: 'no connection' });
    expect(waiting.progress.blocked).toEqual([]);
    expect((await until(engine, cluster.name, closed)).status).toBe('completed');
    expect(fakes.triesOf('a/one')).toBe(4);
  });
});

interface Metadata {
  currentDetails: string;
  definition: Record<'signalDefinitions' | 'updateDefinitions', { name: string; description: string }[]>;
}
