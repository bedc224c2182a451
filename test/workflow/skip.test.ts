import { describe, expect, it } from 'vitest';
import { decide } from '../../src/engine/runs/decide.js';
import { describeRun } from '../../src/engine/runs/watch-run.js';
import { engine, fakes, useFreshWorkers } from './fresh-worker.js';
import { blocked, closed, startTest, stateOf, step, until } from './harness.js';

useFreshWorkers();

describe('skip', () => {
  it('leaves the worker out: its other steps end as skipped, what needs them goes on without it', async () => {
    fakes.failing('w-1/images');
    const { cluster } = await startTest(engine);
    await until(engine, cluster.name, (now) => blocked()(now) && stateOf(now, 'w-2/join') === 'done');
    const outcome = await decide(engine, cluster.name, 'skip', { step: 'w-1/images', reason: 'its disk is broken' });
    expect(outcome).toMatchObject({ via: 'update', steps: ['w-1/images'] });
    const end = await until(engine, cluster.name, closed);
    expect(end.result?.skipped).toEqual(['w-1/images', 'w-1/join', 'w-1/check-images']);
    expect(fakes.triesOf('w-1/join')).toBe(0);
    const verified = fakes.calls.find((call) => call.step === 'cluster/nodes');
    expect(verified?.input.without).toEqual(['w-1']);
    expect(end.progress.decisions).toEqual([expect.objectContaining({ verb: 'skip', reason: 'its disk is broken' })]);
  });

  it('ends every blocking of the worker at once', async () => {
    fakes.failing('w-1/runtime');
    fakes.failing('w-1/binaries');
    const { cluster } = await startTest(engine);
    await until(engine, cluster.name, blocked(2));
    // What was said of two hosts is compared without their addresses.
    const { addresses } = await describeRun(engine, cluster.name);
    expect(addresses).toEqual(Object.fromEntries(cluster.hosts.map(({ name, address }) => [name, address])));
    await decide(engine, cluster.name, 'skip', { step: 'w-1/runtime', reason: 'gone' });
    const end = await until(engine, cluster.name, closed);
    expect(end.status).toBe('completed');
    expect(end.result?.skipped).toContain('w-1/binaries');
  });

  it('leaves a step out alone where it belongs to no worker', async () => {
    fakes.failing('cluster/extra');
    const plan = [step('cluster/extra', [], { skippable: true }), step('cluster/rest', ['cluster/extra'])];
    const { cluster } = await startTest(engine, plan);
    await until(engine, cluster.name, blocked());
    await decide(engine, cluster.name, 'skip', { reason: 'not needed here' });
    expect((await until(engine, cluster.name, closed)).result).toMatchObject({
      changed: 1,
      skipped: ['cluster/extra'],
    });
  });
});
