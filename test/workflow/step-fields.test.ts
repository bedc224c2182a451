import { describe, expect, it } from 'vitest';
import { decide } from '../../src/engine/runs/decide.js';
import { changed, transientTrouble } from './fake-activities.js';
import { engine, fakes, useFreshWorkers } from './fresh-worker.js';
import { blocked, closed, startTest, stateOf, step, until } from './harness.js';

useFreshWorkers();

describe('a step whose failure is reported', () => {
  it('parks nothing: what needs it goes on, and the result names it', async () => {
    fakes.failing('w-1/look');
    const plan = [step('w-1/look', [], { onFailure: 'report' }), step('cluster/report', ['w-1/look'])];
    const { cluster } = await startTest(engine, plan);
    const end = await until(engine, cluster.name, closed);
    expect(end).toMatchObject({ status: 'completed', result: { changed: 1, failed: ['w-1/look'] } });
    expect(end.progress.steps[0]).toMatchObject({
      state: 'failed',
      failed: { code: 'KW421', hint: 'Open port 6443.' },
    });
    expect(fakes.triesOf('w-1/look')).toBe(2);
    expect(stateOf(end, 'cluster/report')).toBe('done');
  });

  it('does not wait for a host that is away for longer than its own patience', async () => {
    fakes.failing('w-1/look', Number.POSITIVE_INFINITY, transientTrouble);
    const plan = [step('w-1/look', [], { onFailure: 'report', patienceMinutes: 1 / 60 })];
    const { cluster } = await startTest(engine, plan, 'hash', 3_600_000);
    const end = await until(engine, cluster.name, closed);
    expect(end).toMatchObject({ status: 'completed', result: { failed: ['w-1/look'] } });
  });
});

describe('what a step hands on', () => {
  it('reaches the steps that need it, and no others', async () => {
    const data = { version: '1.34.3', members: ['cp-1', 'cp-2'] };
    fakes.on('cp-1/look', () => ({ ...changed, data }));
    const plan = [step('cp-1/look'), step('w-1/use', ['cp-1/look']), step('w-2/other')];
    const { cluster } = await startTest(engine, plan);
    const end = await until(engine, cluster.name, closed);
    const inputs = (id: string) => fakes.calls.find((call) => call.step === id)?.input.inputs;
    expect(inputs('w-1/use')).toEqual({ 'cp-1/look': data });
    expect(inputs('w-2/other')).toBeUndefined();
    expect(end.progress.steps[0]).toMatchObject({ data });
  });
});

describe('a lane', () => {
  it('takes so many at once, and the next one when one of them has ended', async () => {
    const lane = { name: 'workers', limit: 2 };
    const ids = ['w-1/drain', 'w-2/drain', 'w-3/drain'];
    const held = ids.map((id) => fakes.holding(id));
    const { cluster } = await startTest(engine, [...ids.map((id) => step(id, [], { lane })), step('cp-1/free')]);
    await until(engine, cluster.name, (now) => fakes.trace.length >= 4 && stateOf(now, 'cp-1/free') === 'done');
    expect(fakes.trace.filter((each) => each.endsWith('/drain')).sort()).toEqual(['+w-1/drain', '+w-2/drain']);
    held[1]?.release();
    await until(engine, cluster.name, () => fakes.trace.includes('+w-3/drain'));
    for (const each of held) each.release();
    expect((await until(engine, cluster.name, closed)).status).toBe('completed');
  });

  it('is kept by a step that is blocked: what went wrong there is not done to the next host', async () => {
    const lane = { name: 'control planes', limit: 1 };
    fakes.failing('cp-1/restart', 2);
    const { cluster } = await startTest(engine, [
      step('cp-1/restart', [], { lane }),
      step('cp-2/restart', [], { lane }),
    ]);
    await until(engine, cluster.name, blocked());
    expect(fakes.triesOf('cp-2/restart')).toBe(0);
    await decide(engine, cluster.name, 'retry');
    expect((await until(engine, cluster.name, closed)).status).toBe('completed');
    expect(fakes.triesOf('cp-2/restart')).toBe(1);
  });
});

describe('cleanup', () => {
  const plan = [
    step('w-1/cordon'),
    step('w-1/work', ['w-1/cordon']),
    step('w-1/uncordon', ['w-1/cordon', 'w-1/work'], { always: true }),
    step('w-2/uncordon', ['w-2/cordon'], { always: true }),
    step('w-2/cordon', ['w-1/work']),
  ];

  it('of what has begun runs after an abort; of what has not, it does not', async () => {
    fakes.failing('w-1/work');
    const { cluster } = await startTest(engine, plan);
    await until(engine, cluster.name, blocked());
    await decide(engine, cluster.name, 'abort', { reason: 'enough' });
    const end = await until(engine, cluster.name, closed);
    expect(end.failure).toMatchObject({ code: 'KW810', message: 'aborted by anna@test: enough.' });
    expect(fakes.trace.slice(-2)).toEqual(['+w-1/uncordon', '-w-1/uncordon']);
    expect(fakes.triesOf('w-2/uncordon')).toBe(0);
  });

  it('runs after a cancellation, too', async () => {
    fakes.failing('w-1/work');
    const { cluster, workflowId } = await startTest(engine, plan);
    await until(engine, cluster.name, blocked());
    await engine.client.workflow.getHandle(workflowId).cancel();
    const end = await until(engine, cluster.name, closed);
    expect(end.status).toBe('cancelled');
    expect(fakes.triesOf('w-1/uncordon')).toBe(1);
  });

  it('that fails is named, and asks nobody', async () => {
    fakes.failing('w-1/work').failing('w-1/uncordon');
    const { cluster } = await startTest(engine, plan);
    await until(engine, cluster.name, blocked());
    await decide(engine, cluster.name, 'abort');
    const end = await until(engine, cluster.name, closed);
    expect(end.failure?.message).toContain('Not put back, for it failed: w-1/uncordon.');
  });

  it('is not left out with its worker', async () => {
    fakes.failing('w-1/work');
    const { cluster } = await startTest(engine, plan);
    await until(engine, cluster.name, blocked());
    await decide(engine, cluster.name, 'skip', { step: 'w-1/work', reason: 'broken disk' });
    const end = await until(engine, cluster.name, closed);
    expect(end.status).toBe('completed');
    expect(stateOf(end, 'w-1/uncordon')).toBe('done');
  });
});
