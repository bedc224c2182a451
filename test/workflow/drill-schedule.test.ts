import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ApplicationFailure } from '@temporalio/common';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import type { Cluster } from '../../src/cluster/types.js';
import { readDrillNews } from '../../src/engine/drill-news.js';
import { changeDrillSchedule, findDrillSchedule, scheduleDrills } from '../../src/engine/drill-schedules.js';
import { readBackground } from '../../src/engine/runs/check-background.js';
import { latestDrill } from '../../src/engine/runs/drill-reports.js';
import { readerOf } from '../../src/engine/runs/history.js';
import { listRuns } from '../../src/engine/runs/list-runs.js';
import { startRun } from '../../src/engine/runs/start-run.js';
import type { ScheduledDrillReport } from '../../src/plan/scheduled-drill.js';
import { askingIn, brokenIn, fakeDrill, MEASURED } from './fake-drill.js';
import { engine, fakes, useFreshWorkers, worker } from './fresh-worker.js';
import { closed, step, TestWorker, testCluster, until } from './harness.js';

useFreshWorkers();

const DAY_MS = 86_400_000;

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'kubewright-drill-schedule-'));
  fakeDrill(fakes, directory);
});
afterEach(() => rm(directory, { recursive: true, force: true }));

/** Drills of the balancer every 30 days, of which one is begun now, as when it is due. */
async function scheduled(cluster: Cluster = testCluster()): Promise<Cluster> {
  const firstAt = Date.now() + 10 * DAY_MS;
  await scheduleDrills(engine, cluster, { everyMs: 30 * DAY_MS, firstAt }, { only: ['balancer'] });
  onTestFinished(() => changeDrillSchedule(engine, cluster.name, 'remove'));
  return cluster;
}

const handleOf = ({ name }: Cluster) => engine.client.schedule.getHandle(`drill/${name}`);

/** What came of the one that was begun last, as its workflow says. */
async function outcomeOf(cluster: Cluster): Promise<ScheduledDrillReport> {
  const begun = async () => (await handleOf(cluster).describe()).info.recentActions.at(-1)?.action.workflow;
  await expect.poll(begun).toBeDefined();
  const { workflowId = '' } = (await begun()) ?? {};
  return engine.client.workflow.getHandle(workflowId).result() as Promise<ScheduledDrillReport>;
}

describe('a schedule of drills', () => {
  it('is due when it was agreed, makes up for nothing, and is paused, resumed and removed', async () => {
    const cluster = testCluster();
    const firstAt = Math.floor(Date.now() / 60_000) * 60_000 + 3 * DAY_MS;
    const made = await scheduleDrills(engine, cluster, { everyMs: 30 * DAY_MS, firstAt }, { only: ['balancer'] });
    expect(made).toMatchObject({ nextAt: firstAt, everyMs: 30 * DAY_MS, paused: false, underWay: false });
    const { policies } = await handleOf(cluster).describe();
    expect(policies).toMatchObject({ overlap: 'SKIP', catchupWindow: 10_000 });
    await changeDrillSchedule(engine, cluster.name, 'pause');
    expect(await findDrillSchedule(engine, cluster.name)).toMatchObject({
      paused: true,
      options: { only: ['balancer'] },
    });
    await changeDrillSchedule(engine, cluster.name, 'resume');
    // Given again, it replaces the one that is there.
    const other = await scheduleDrills(engine, cluster, { everyMs: 7 * DAY_MS, firstAt });
    expect(other).toMatchObject({ everyMs: 7 * DAY_MS, options: {} });
    await changeDrillSchedule(engine, cluster.name, 'remove');
    expect(await findDrillSchedule(engine, cluster.name)).toBeUndefined();
    await expect(changeDrillSchedule(engine, cluster.name, 'pause')).rejects.toMatchObject({ code: 'KW120' });
  });

  it('carries out the same drill as by hand, which is found, followed and listed as that', async () => {
    const cluster = await scheduled();
    await handleOf(cluster).trigger();
    expect(await outcomeOf(cluster)).toMatchObject({ cluster: cluster.name, outcome: 'drilled' });
    const end = await until(engine, cluster.name, closed);
    expect(end).toMatchObject({ status: 'completed', workflowId: `cluster/${cluster.name}`, operation: 'drill' });
    expect(end.result?.drill).toMatchObject({ scenarios: [MEASURED] });
    expect([brokenIn(directory), askingIn(directory)]).toEqual([false, false]);
    await expect.poll(() => latestDrill(engine, cluster.name), { timeout: 20_000 }).toEqual(end.result?.drill);
    await expect.poll(() => readDrillNews(engine, cluster.name)).toMatchObject({ last: { outcome: 'drilled' } });
    expect(await readDrillNews(engine, cluster.name)).not.toHaveProperty('silentSince');
    const runs = (await listRuns(engine)).filter((run) => run.cluster === cluster.name);
    expect(runs).toMatchObject([{ operation: 'drill', workflowId: `cluster/${cluster.name}` }]);
    // One that is due a month and more later has not come: the schedule is silent, whatever next time it names.
    const later = Date.now() + 31 * DAY_MS;
    expect((await readDrillNews(engine, cluster.name, later)).silentSince).toBeCloseTo(Date.now(), -5);
  });

  it('is left out while an operation holds the cluster, with that on record, and begins nothing', async () => {
    const cluster = await scheduled();
    const reader = readerOf(engine) as Parameters<typeof readBackground>[0];
    fakes.background = (name, depth) => readBackground(reader, name, depth);
    const held = fakes.holding('cp-1/look');
    await startRun(engine, { cluster, plan: [step('cp-1/look')], planHash: 'hash', build: '0.1.0' });
    await handleOf(cluster).trigger();
    const said = await outcomeOf(cluster);
    expect(said).toMatchObject({
      outcome: 'skipped',
      heldBy: { operation: 'install', workflowId: `cluster/${cluster.name}` },
      why: { code: 'KW521', message: expect.stringContaining('is at work (install)') },
    });
    expect(fakes.triesOf('cluster/preflight')).toBe(0);
    await expect.poll(async () => (await readDrillNews(engine, cluster.name)).last).toEqual(said);
    held.release();
    expect(await until(engine, cluster.name, closed)).toMatchObject({ status: 'completed' });
  });

  it('is left out, too, where an operation takes the cluster in the moment before it begins', async () => {
    // Whoever planned it was told of nothing.
    const cluster = await scheduled();
    const held = fakes.holding('cp-1/look');
    await startRun(engine, { cluster, plan: [step('cp-1/look')], planHash: 'hash', build: '0.1.0' });
    await handleOf(cluster).trigger();
    expect(await outcomeOf(cluster)).toMatchObject({ outcome: 'skipped' });
    expect(fakes.triesOf('cluster/preflight')).toBe(0);
    held.release();
    await until(engine, cluster.name, closed);
  });

  it('refuses an unhealthy cluster as by hand, and ends with the reason', async () => {
    const unwell = () =>
      ApplicationFailure.create({
        type: 'KW671',
        message: 'it is not healthy: KW481',
        nonRetryable: true,
        details: [{ hint: 'Mend it.' }],
      });
    fakes.failing('cluster/preflight', Number.POSITIVE_INFINITY, unwell);
    const cluster = await scheduled();
    await handleOf(cluster).trigger();
    expect(await outcomeOf(cluster)).toMatchObject({
      outcome: 'refused',
      why: { code: 'KW671', message: 'it is not healthy: KW481', hint: 'Mend it.' },
    });
    expect(await until(engine, cluster.name, closed)).toMatchObject({ status: 'failed', failure: { code: 'KW671' } });
    expect(brokenIn(directory)).toBe(false);
  });

  it('refuses where it cannot be planned, and begins no drill', async () => {
    const message = 'what was applied last is not known';
    fakes.drillRefusal = ApplicationFailure.create({
      type: 'KW679',
      message,
      nonRetryable: true,
      details: [{ hint: 'Install.' }],
    });
    const cluster = await scheduled();
    await handleOf(cluster).trigger();
    expect(await outcomeOf(cluster)).toMatchObject({
      outcome: 'refused',
      why: { code: 'KW679', message, hint: 'Install.' },
    });
    await expect(until(engine, cluster.name, closed)).rejects.toMatchObject({ code: 'KW523' });
  });

  it('puts everything back when it is cancelled itself', async () => {
    const held = fakes.holding('cluster/balancer-watch');
    const cluster = await scheduled();
    await handleOf(cluster).trigger();
    await expect.poll(() => brokenIn(directory), { timeout: 20_000 }).toBe(true);
    const { info } = await handleOf(cluster).describe();
    const { workflowId = '' } = info.recentActions.at(-1)?.action.workflow ?? {};
    await engine.client.workflow.getHandle(workflowId).cancel();
    expect(await until(engine, cluster.name, closed)).toMatchObject({ status: 'cancelled' });
    expect([brokenIn(directory), askingIn(directory)]).toEqual([false, false]);
    held.release();
  });

  it('has its drill go on with the next worker when the first one is gone', async () => {
    fakes.holding('cluster/balancer-watch');
    const cluster = await scheduled();
    await handleOf(cluster).trigger();
    await expect.poll(() => brokenIn(directory), { timeout: 20_000 }).toBe(true);
    await worker.stop();
    fakeDrill(fakes, directory);
    const next = await TestWorker.start(engine, fakes);
    onTestFinished(() => next.stop());
    expect(await outcomeOf(cluster)).toMatchObject({ outcome: 'drilled' });
    expect([brokenIn(directory), askingIn(directory)]).toEqual([false, false]);
  });
});
