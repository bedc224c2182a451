import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ApplicationFailure } from '@temporalio/common';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Cluster } from '../../src/cluster/types.js';
import { decide } from '../../src/engine/runs/decide.js';
import { latestDrill, listDrills } from '../../src/engine/runs/drill-reports.js';
import { type StartedRun, startRun } from '../../src/engine/runs/start-run.js';
import { planDrill } from '../../src/plan/drill.js';
import type { Scenario } from '../../src/plan/drill-report.js';
import { prepareRun } from '../../src/prepare-run.js';
import { beating } from './fake-activities.js';
import { askingIn, brokenIn, fakeDrill, MEASURED, STEPS } from './fake-drill.js';
import { engine, fakes, useFreshWorkers } from './fresh-worker.js';
import { closed, testCluster, until } from './harness.js';

useFreshWorkers();

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'kubewright-drill-'));
  fakeDrill(fakes, directory);
});
afterEach(() => rm(directory, { recursive: true, force: true }));

async function startDrill(only: Scenario[] = ['balancer']): Promise<StartedRun & { cluster: Cluster }> {
  const cluster = testCluster();
  const run = prepareRun('drill', cluster, planDrill(cluster, { only }));
  return { cluster, ...(await startRun(engine, { ...run, patienceMs: 1_000 })) };
}

const broken = (code: string, message: string) => () =>
  ApplicationFailure.create({ type: code, message, nonRetryable: true, details: [{ hint: 'Mend it.' }] });

describe('a drill', () => {
  it('ends with a report, which is found again, and leaves nothing behind', async () => {
    const { cluster } = await startDrill();
    const end = await until(engine, cluster.name, closed);
    expect(end.status).toBe('completed');
    expect(end.result?.drill).toMatchObject({ cluster: cluster.name, scenarios: [MEASURED] });
    expect(end.result?.drill).not.toHaveProperty('problems');
    expect(end.result?.drill).not.toHaveProperty('left');
    expect([brokenIn(directory), askingIn(directory)]).toEqual([false, false]);
    await expect.poll(() => latestDrill(engine, cluster.name), { timeout: 20_000 }).toEqual(end.result?.drill);
    expect(await listDrills(engine, `${cluster.name}-other`)).toEqual([]);
  });

  it('is refused with what the preflight has found, and nothing is told to break anything', async () => {
    fakes.failing('cluster/preflight', Number.POSITIVE_INFINITY, broken('KW671', 'demo is not healthy: KW481'));
    const { cluster } = await startDrill();
    const end = await until(engine, cluster.name, closed);
    expect(end).toMatchObject({
      status: 'failed',
      failure: { code: 'KW671', message: 'demo is not healthy: KW481', hint: 'Mend it.' },
    });
    // What the real step goes by: without the preflight's word it leaves the scenario out.
    const ask = fakes.calls.find(({ step }) => step === 'cluster/balancer-ask');
    expect(ask?.input.inputs).toBeUndefined();
  });

  it('goes on behind a step that fails: what was broken is put back, and the report says what went wrong', async () => {
    fakes.failing('cluster/balancer-watch', Number.POSITIVE_INFINITY, broken('KW676', 'w-1 does not ask any more'));
    const { cluster } = await startDrill();
    const end = await until(engine, cluster.name, closed);
    expect(end.status).toBe('completed');
    expect(end.result?.drill?.problems).toEqual([
      { step: 'cluster/balancer-watch', code: 'KW676', message: 'w-1 does not ask any more', hint: 'Mend it.' },
    ]);
    expect([brokenIn(directory), askingIn(directory)]).toEqual([false, false]);
  });

  it('leaves out the scenarios behind one that did not end well', async () => {
    fakes.failing('cluster/balancer-health', Number.POSITIVE_INFINITY, broken('KW675', 'it is not whole'));
    const { cluster } = await startDrill(['balancer', 'api-server']);
    const end = await until(engine, cluster.name, closed);
    const why = 'it was not begun, for the one before it did not end well';
    expect(end.result?.drill).toMatchObject({ scenarios: [MEASURED], left: [{ scenario: 'api-server', why }] });
    const ask = fakes.calls.find(({ step }) => step === 'cluster/api-server-ask');
    expect(ask?.input.inputs ?? {}).not.toHaveProperty('cluster/balancer-health');
  });
});

describe('a drill that is ended before its time', () => {
  it.each(STEPS)(
    'aborted within %s, it puts back and cleans up, and these steps are told what was chosen',
    async (id) => {
      // Its first try is held until it is cancelled; what comes behind that goes through.
      let tries = 0;
      fakeDrill(fakes, directory, (step) => {
        if (step === id) tries += 1;
        return step === id && tries === 1 ? beating(new Promise(() => {})) : undefined;
      });
      const { cluster } = await startDrill();
      await until(engine, cluster.name, (now) => now.activities[id] !== undefined && tries === 1);
      const held = fakes.calls.length;
      await decide(engine, cluster.name, 'abort', { seen: 0 });
      const end = await until(engine, cluster.name, closed);
      expect(end.failure).toMatchObject({ code: 'KW810', hint: 'What was broken was put back.' });
      expect(end.failure?.message).not.toContain('Not put back');
      expect([brokenIn(directory), askingIn(directory)]).toEqual([false, false]);
      const later = fakes.calls.slice(held).filter(({ step }) => step === 'cluster/balancer-restore');
      for (const { input } of later) {
        if (id !== 'cluster/balancer-ask') {
          expect(input.inputs?.['cluster/balancer-ask']).toEqual({ victim: 'cp-1', prober: 'w-1' });
        }
      }
    },
  );

  it('cancelled in the middle of a break, it puts back, too', async () => {
    fakeDrill(fakes, directory, (step) =>
      step === 'cluster/balancer-break' ? beating(new Promise(() => {})) : undefined,
    );
    const { cluster, workflowId } = await startDrill();
    await until(engine, cluster.name, () => brokenIn(directory));
    await engine.client.workflow.getHandle(workflowId).cancel();
    const end = await until(engine, cluster.name, closed);
    expect(end.status).toBe('cancelled');
    expect([brokenIn(directory), askingIn(directory)]).toEqual([false, false]);
  });

  it('says what could not be put back', async () => {
    fakes.failing('cluster/balancer-restore', Number.POSITIVE_INFINITY, broken('KW674', 'it has not come back'));
    fakes.holding('cluster/balancer-watch');
    const { cluster } = await startDrill();
    await until(engine, cluster.name, (now) => now.activities['cluster/balancer-watch'] !== undefined);
    await decide(engine, cluster.name, 'abort', { seen: 0 });
    const end = await until(engine, cluster.name, closed);
    expect(end.failure?.message).toContain('Not put back, for it failed: cluster/balancer-restore.');
    expect(end.failure?.hint).toContain('by hand');
    expect(askingIn(directory)).toBe(false);
  });
});
