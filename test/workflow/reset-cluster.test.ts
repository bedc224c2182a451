import { describe, expect, it } from 'vitest';
import type { Cluster } from '../../src/cluster/types.js';
import { decide } from '../../src/engine/runs/decide.js';
import { startRun } from '../../src/engine/runs/start-run.js';
import { planReset, type ResetOptions } from '../../src/plan/reset.js';
import { prepareRun } from '../../src/prepare-run.js';
import { engine, fakes, useFreshWorkers } from './fresh-worker.js';
import { blocked, closed, startTest, stateOf, testCluster, until } from './harness.js';

useFreshWorkers();

async function startReset(how: ResetOptions = {}): Promise<Cluster> {
  const cluster = testCluster();
  await startRun(engine, prepareRun('reset', cluster, planReset(cluster, how)));
  return cluster;
}

/** Where a step began or ended among all others. */
const at = (event: string): number => fakes.trace.indexOf(event);

describe('a reset', () => {
  it('gives workers back before control planes, and tells each step which hosts are away', async () => {
    const away = { away: ['w-2'], leftToDo: 'wipe w-2 before reuse' };
    fakes.on('cluster/preflight', () => ({ outcome: 'unchanged', summary: 'w-2 cannot be reached', data: away }));
    const { name } = await startReset();
    const end = await until(engine, name, closed);
    expect(end).toMatchObject({ status: 'completed', operation: 'reset' });
    for (const worker of ['w-1', 'w-2']) expect(at(`-${worker}/reset`)).toBeLessThan(at('+cp-1/reset'));
    expect(at('-cluster/backup')).toBeLessThan(at('+w-1/reset'));
    expect(at('-cp-2/forget')).toBeLessThan(at('+cluster/release'));
    for (const step of ['w-2/reset', 'cp-1/reset', 'cp-1/compare', 'cp-1/forget']) {
      const { input } = fakes.calls.find((call) => call.step === step) ?? {};
      expect(input?.inputs?.['cluster/preflight'], step).toEqual(away);
    }
    // What is left to a person reaches whoever followed the run.
    expect(end.progress.steps.find(({ id }) => id === 'cluster/preflight')?.data).toEqual(away);
  });

  it('waits for a person where a control plane makes trouble, and goes on without its reset when it is left out', async () => {
    fakes.failing('cp-2/reset');
    const { name } = await startReset();
    const now = await until(engine, name, blocked());
    expect(stateOf(now, 'cp-2/forget')).toBe('waiting');
    await decide(engine, name, 'skip', { step: 'cp-2/reset', reason: 'its disk is broken' });
    const end = await until(engine, name, closed);
    expect(end.status).toBe('completed');
    expect(end.result?.skipped).toContain('cp-2/reset');
    expect(fakes.triesOf('cluster/release')).toBe(1);
  });

  it('leaves a worker out as a whole, whose record stays on it', async () => {
    fakes.failing('w-1/reset');
    const { name } = await startReset();
    await until(engine, name, blocked());
    await decide(engine, name, 'skip', { step: 'w-1/reset', reason: 'gone' });
    const end = await until(engine, name, closed);
    expect(end.result?.skipped).toEqual(['w-1/reset', 'w-1/compare', 'w-1/forget']);
    expect(fakes.triesOf('cp-1/reset')).toBe(1);
  });

  it('of one host moves its pods and gives its vote up before anything on it ends, and records it last', async () => {
    const { name } = await startReset({ host: 'cp-2' });
    expect((await until(engine, name, closed)).status).toBe('completed');
    const begun = fakes.trace.filter((event) => event.startsWith('+')).map((event) => event.slice(1));
    const order = [
      'cluster/backup',
      'cp-2/drain',
      'cp-2/etcd-member',
      'cp-2/reset',
      'cp-2/node',
      'cluster/record',
      'cluster/release',
    ];
    expect(begun.filter((step) => order.includes(step))).toEqual(order);
    expect(begun.filter((step) => /^(cp-1|w-)/.test(step))).toEqual([]);
  });

  it('gives the hosts back that it holds, also when it is aborted', async () => {
    fakes.failing('w-1/reset');
    const { name } = await startReset();
    await until(engine, name, blocked());
    await decide(engine, name, 'abort', { reason: 'not today' });
    expect((await until(engine, name, closed)).progress.state).toBe('aborted');
    expect(fakes.triesOf('cluster/release')).toBe(1);
    expect(fakes.triesOf('cp-1/reset')).toBe(0);
  });

  it('of one host puts a drained node back when it is aborted, before it gives the hosts back', async () => {
    fakes.failing('w-1/reset');
    const { name } = await startReset({ host: 'w-1' });
    await until(engine, name, blocked());
    await decide(engine, name, 'abort', { reason: 'it shall stay' });
    await until(engine, name, closed);
    expect(fakes.triesOf('w-1/uncordon')).toBe(1);
    expect(at('-w-1/uncordon')).toBeLessThan(at('+cluster/release'));
  });

  it('is refused while another operation changes the cluster', async () => {
    fakes.holding('cp-1/system');
    const { cluster } = await startTest(engine);
    await expect(startRun(engine, prepareRun('reset', cluster))).rejects.toMatchObject({ code: 'KW521' });
    await decide(engine, cluster.name, 'abort', { reason: 'the test is over' });
    await until(engine, cluster.name, closed);
  });
});
