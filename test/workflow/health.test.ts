import { describe, expect, it } from 'vitest';
import { checkNow, latestReport } from '../../src/engine/runs/checks.js';
import { listRuns } from '../../src/engine/runs/list-runs.js';
import { changeHealthSchedule, listHealthSchedules, scheduleHealth } from '../../src/engine/schedules.js';
import { planCheck } from '../../src/plan/check.js';
import { brokenStep, transientTrouble } from './fake-activities.js';
import { engine, fakes, useFreshWorkers } from './fresh-worker.js';
import { testCluster } from './harness.js';

useFreshWorkers();

describe('a health check', () => {
  it('looks at all that it planned, and finds nothing in a healthy cluster', async () => {
    const cluster = testCluster();
    const report = await checkNow(engine, cluster);
    expect(report).toMatchObject({ cluster: cluster.name, looks: planCheck(cluster).length, findings: [] });
    expect(new Set(fakes.calls.map(({ step }) => step))).toEqual(new Set(planCheck(cluster).map(({ id }) => id)));
    expect(await latestReport(engine, cluster.name)).toEqual(report);
    // It changes nothing, so it is not among the runs that do.
    expect((await listRuns(engine)).map((run) => run.cluster)).not.toContain(cluster.name);
  });

  it('tells what looks have found, what could not be looked at, and hosts that are away; nothing waits for a person', async () => {
    const cluster = testCluster();
    const seen = { code: 'KW481', host: 'w-1', evidence: 'w-1 is not Ready', hint: 'Look there.' };
    fakes.checkFindings = [{ code: 'KW603', host: 'cp-2', evidence: 'the copy on cp-2 is missing', hint: '' }];
    fakes.on('cluster/nodes', () => ({ outcome: 'unchanged', summary: '', findings: [seen], more: 3 }));
    fakes.failing('cluster/etcd', Number.POSITIVE_INFINITY, brokenStep);
    fakes.failing('cp-1/api-server', Number.POSITIVE_INFINITY, transientTrouble);
    const report = await checkNow(engine, cluster);
    expect(report.more).toBe(3);
    expect(report.findings).toEqual([
      { code: 'KW603', host: 'cp-2', evidence: 'the copy on cp-2 is missing', hint: '' },
      { code: 'KW201', host: 'cp-1', evidence: 'no connection', hint: expect.any(String) },
      {
        code: 'KW421',
        host: 'cp-2',
        evidence: expect.stringContaining('kubeadm join failed'),
        hint: 'Open port 6443.',
      },
      seen,
    ]);
    const { searchAttributes } = await engine.client.workflow.getHandle(`check/${cluster.name}`).describe();
    expect(searchAttributes).toMatchObject({ KubewrightState: ['unhealthy'], KubewrightCluster: [cluster.name] });
  });

  it('is not begun twice: who asks meanwhile gets the same report', async () => {
    const cluster = testCluster();
    const held = fakes.holding('cluster/dns');
    const both = [checkNow(engine, cluster), checkNow(engine, cluster)];
    await expect.poll(() => fakes.triesOf('cluster/dns'), { timeout: 30_000 }).toBe(1);
    held.release();
    const [first, second] = await Promise.all(both);
    expect(second).toEqual(first);
  });
});

describe('scheduled health checks', () => {
  it('are made, found, paused, resumed and removed; each leaves a report', async () => {
    const cluster = testCluster();
    await scheduleHealth(engine, cluster, 10_000);
    const mine = async () => (await listHealthSchedules(engine)).filter((each) => each.cluster === cluster.name);
    expect(await mine()).toEqual([
      { cluster: cluster.name, everyMs: 10_000, paused: false, nextAt: expect.any(Number) },
    ]);
    await expect
      .poll(() => latestReport(engine, cluster.name), { timeout: 40_000, interval: 500 })
      .toMatchObject({ findings: [] });
    await changeHealthSchedule(engine, cluster.name, 'pause');
    expect(await mine()).toEqual([{ cluster: cluster.name, everyMs: 10_000, paused: true }]);
    await changeHealthSchedule(engine, cluster.name, 'resume');
    // Again, with another interval: the same schedule.
    await scheduleHealth(engine, cluster, 60_000);
    expect(await mine()).toMatchObject([{ everyMs: 60_000, paused: false }]);
    await changeHealthSchedule(engine, cluster.name, 'remove');
    expect(await mine()).toEqual([]);
    await expect(changeHealthSchedule(engine, cluster.name, 'pause')).rejects.toMatchObject({ code: 'KW606' });
    await expect(scheduleHealth(engine, cluster, 1_000)).rejects.toMatchObject({ code: 'KW605' });
  });
});
