import { setTimeout } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { readHealthHistory } from '../../src/engine/health-history.js';
import { readHealthNews } from '../../src/engine/health-news.js';
import { type BackgroundReader, readBackground } from '../../src/engine/runs/check-background.js';
import { checkNow, latestReport } from '../../src/engine/runs/checks.js';
import { readerOf } from '../../src/engine/runs/history.js';
import { listRuns } from '../../src/engine/runs/list-runs.js';
import { changeHealthSchedule, listHealthSchedules, scheduleHealth } from '../../src/engine/schedules.js';
import { planCheck } from '../../src/plan/check.js';
import { HEALTH_COMPONENTS } from '../../src/plan/findings.js';
import { brokenStep, transientTrouble } from './fake-activities.js';
import { engine, fakes, useFreshWorkers, worker } from './fresh-worker.js';
import { startTest, step, TestWorker, testCluster } from './harness.js';

useFreshWorkers();

/** As a worker asks Temporal; its operator service tells what is registered. */
function asksTemporal(): void {
  const { operatorService } = engine.client.connection as unknown as Pick<BackgroundReader, 'operatorService'>;
  const reader = { ...readerOf(engine), operatorService } as BackgroundReader;
  fakes.background = (cluster, depth) => readBackground(reader, cluster, depth);
}

const notReady = (host: string) => ({ code: 'KW481', host, evidence: `${host} is not Ready`, hint: 'Look there.' });

describe('a health check', () => {
  it('looks at all that it planned, and finds nothing in a healthy cluster', async () => {
    const cluster = testCluster();
    const report = await checkNow(engine, cluster);
    const looks = planCheck(cluster).length;
    expect(report).toMatchObject({ cluster: cluster.name, verdict: 'ok', looks, findings: [] });
    expect(report.tookMs).toBeGreaterThan(0);
    // Nothing was doubtful, so nothing was looked at again.
    expect(fakes.calls).toHaveLength(looks);
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
    expect(report).toMatchObject({ more: 3, verdict: 'degraded' });
    const since = report.at;
    expect(report.findings).toEqual([
      { code: 'KW603', host: 'cp-2', evidence: 'the copy on cp-2 is missing', hint: '', since },
      {
        code: 'KW421',
        host: 'cp-2',
        evidence: expect.stringContaining('kubeadm join failed'),
        hint: 'Open port 6443.',
        look: 'cluster/etcd',
        since,
      },
      {
        code: 'KW201',
        host: 'cp-1',
        evidence: 'no connection',
        hint: expect.any(String),
        look: 'cp-1/api-server',
        since,
      },
      { ...seen, look: 'cluster/nodes', since },
    ]);
    // What failed was tried for as long as patience lasted: only what was seen is looked at again.
    expect(fakes.triesOf('cluster/nodes')).toBe(2);
    expect(fakes.triesOf('cluster/dns')).toBe(1);
    expect(fakes.triesOf('cluster/etcd')).toBe(2);
    const { searchAttributes } = await engine.client.workflow.getHandle(`check/${cluster.name}`).describe();
    expect(searchAttributes).toMatchObject({ KubewrightState: ['unhealthy'], KubewrightCluster: [cluster.name] });
  });

  it('raises no alarm for one bad look: what a second one does not see is counted, and what it sees is told as it is then', async () => {
    const cluster = testCluster();
    const looks = {
      'cluster/nodes': [
        ['w-1', 'w-2'],
        ['w-1', 'cp-2'],
      ],
      'cluster/dns': [['w-1'], []],
    };
    for (const [look, hosts] of Object.entries(looks)) {
      fakes.on(look, () => {
        const time = fakes.triesOf(look);
        const findings = (hosts[time - 1] ?? []).map((host) => ({ ...notReady(host), evidence: `look ${time}` }));
        return { outcome: 'unchanged', summary: '', findings };
      });
    }
    const report = await checkNow(engine, cluster);
    // cp-2 was seen once only, by the second look: the next check tells it, if it stays.
    expect(report.findings).toMatchObject([{ host: 'w-1', evidence: 'look 2', look: 'cluster/nodes' }]);
    expect(report).toMatchObject({ findings: { length: 1 }, fleeting: 2, verdict: 'degraded' });
    expect(fakes.calls).toHaveLength(planCheck(cluster).length + 2);
  });

  it('is healthy when all that was found was gone a moment later', async () => {
    const cluster = testCluster();
    fakes.on('cluster/nodes', () => {
      const findings = fakes.triesOf('cluster/nodes') === 1 ? [notReady('w-1')] : [];
      return { outcome: 'unchanged', summary: '', findings, ...(findings.length === 0 ? {} : { more: 3 }) };
    });
    const report = await checkNow(engine, cluster);
    expect(report).toMatchObject({ verdict: 'ok', findings: [], fleeting: 1 });
    expect(report.more).toBeUndefined();
  });

  it('lets the first look stand where it cannot be looked again', async () => {
    const cluster = testCluster();
    fakes.on('cluster/nodes', () => {
      if (fakes.triesOf('cluster/nodes') > 1) throw brokenStep();
      return { outcome: 'unchanged', summary: '', findings: [notReady('w-1')] };
    });
    const { findings, fleeting } = await checkNow(engine, cluster);
    expect(findings).toMatchObject([notReady('w-1')]);
    expect(fleeting).toBeUndefined();
  });

  it('tells a cluster that is down from one that nobody could look at', async () => {
    const down = testCluster();
    const finding = { code: 'KW680', host: null, evidence: 'the API does not answer', hint: '' };
    fakes.on('cluster/endpoint', () => ({ outcome: 'unchanged', summary: '', findings: [finding] }));
    expect(await checkNow(engine, down)).toMatchObject({ verdict: 'down' });
    const unseen = testCluster();
    for (const { id } of planCheck(unseen)) fakes.failing(id);
    expect(await checkNow(engine, unseen)).toMatchObject({ verdict: 'unknown' });
  });

  it('says since when each thing is wrong, from check to check, also across one that could look at nothing', async () => {
    const cluster = testCluster();
    asksTemporal();
    const finds = (...hosts: string[]) =>
      fakes.on('cluster/nodes', () => ({ outcome: 'unchanged', summary: '', findings: hosts.map(notReady) }));
    finds('w-1');
    const first = await checkNow(engine, cluster);
    expect(first.findings).toMatchObject([{ host: 'w-1', since: first.at }]);
    const steps = planCheck(cluster);
    for (const { id } of steps) fakes.failing(id);
    expect(await checkNow(engine, cluster)).toMatchObject({ verdict: 'unknown' });
    for (const { id } of steps) fakes.failing(id, 0);
    finds('w-1', 'w-2');
    const third = await checkNow(engine, cluster);
    expect(third.findings).toMatchObject([
      { host: 'w-1', since: first.at },
      { host: 'w-2', since: third.at },
    ]);
    finds();
    expect(await checkNow(engine, cluster)).toMatchObject({ verdict: 'ok' });
    finds('w-1');
    const last = await checkNow(engine, cluster);
    expect(last.findings).toMatchObject([{ host: 'w-1', since: last.at }]);
  });

  it('is found in Temporal by its verdict, where the namespace knows the attribute', async () => {
    const cluster = testCluster();
    const described = () => engine.client.workflow.getHandle(`check/${cluster.name}`).describe();
    await checkNow(engine, cluster);
    // The worker has not found it registered: it is not written.
    expect((await described()).searchAttributes).not.toHaveProperty('KubewrightHealth');
    asksTemporal();
    await checkNow(engine, cluster);
    expect((await described()).searchAttributes).toMatchObject({ KubewrightHealth: ['ok'] });
  });

  it('takes as long as a worker needs for it, however long it waited for one', async () => {
    await worker.stop();
    const cluster = testCluster();
    const beganAt = Date.now();
    const report = checkNow(engine, cluster);
    const waitedMs = 3_000;
    await setTimeout(waitedMs);
    const late = await TestWorker.start(engine, fakes);
    const { at, tookMs = Number.NaN } = await report;
    await late.stop();
    expect(tookMs).toBeGreaterThan(0);
    // Half a second is left for the difference of the clocks, and for the start of the check.
    expect(at - tookMs).toBeGreaterThan(beganAt + waitedMs - 500);
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
  it('are left out while something changes the cluster; who asks gets one all the same, and then they go on', async () => {
    const held = fakes.holding('a/one');
    const { cluster } = await startTest(engine, [step('a/one')]);
    const { name } = cluster;
    await expect.poll(() => fakes.triesOf('a/one'), { timeout: 30_000 }).toBe(1);
    asksTemporal();
    await scheduleHealth(engine, cluster, 10_000);
    const heldBy = { operation: 'install', workflowId: `cluster/${name}`, since: expect.any(Number) };
    await expect.poll(() => readHealthNews(engine, name), { timeout: 40_000, interval: 500 }).toMatchObject({ heldBy });
    expect(new Set(fakes.calls.map(({ step: id }) => id))).toEqual(new Set(['a/one']));
    expect(await latestReport(engine, name)).toBeUndefined();
    const asked = await checkNow(engine, cluster);
    expect(asked).toMatchObject({ verdict: 'ok', during: heldBy });
    held.release();
    const after = async () => {
      const { report, heldBy: holder } = await readHealthNews(engine, name);
      return (report?.at ?? 0) > asked.at && report?.during === undefined && holder === undefined;
    };
    await expect.poll(after, { timeout: 40_000, interval: 500 }).toBe(true);
    const { rows, checks, skipped } = await readHealthHistory(engine, name, 2);
    expect(checks).toBeGreaterThanOrEqual(3);
    expect(skipped).toBeGreaterThanOrEqual(1);
    expect(new Map(rows.map(({ component, cells }) => [component, cells[1]]))).toEqual(
      new Map(HEALTH_COMPONENTS.map((component) => [component, 'ok'])),
    );
    await changeHealthSchedule(engine, name, 'remove');
  }, 120_000);

  it('are refused more often than the healthy cluster gives time for', async () => {
    const cluster = testCluster();
    const held = fakes.holding('cluster/dns');
    const report = checkNow(engine, cluster);
    await expect.poll(() => fakes.triesOf('cluster/dns'), { timeout: 30_000 }).toBe(1);
    await setTimeout(10_500);
    held.release();
    expect(await report).toMatchObject({ verdict: 'ok' });
    await expect(scheduleHealth(engine, cluster, 10_000)).rejects.toMatchObject({ code: 'KW685' });
    expect(await scheduleHealth(engine, cluster, 120_000)).toMatchObject({ everyMs: 120_000 });
    await changeHealthSchedule(engine, cluster.name, 'remove');
  });

  it('are made, found, paused, resumed and removed; each leaves a report', async () => {
    const cluster = testCluster();
    await scheduleHealth(engine, cluster, 10_000);
    const mine = async () => (await listHealthSchedules(engine)).filter((each) => each.cluster === cluster.name);
    expect(await mine()).toEqual([
      {
        cluster: cluster.name,
        everyMs: 10_000,
        paused: false,
        nextAt: expect.any(Number),
        changedAt: expect.any(Number),
      },
    ]);
    await expect
      .poll(() => latestReport(engine, cluster.name), { timeout: 40_000, interval: 500 })
      .toMatchObject({ findings: [] });
    const { policies, spec } = await engine.client.schedule.getHandle(`health/${cluster.name}`).describe();
    expect(policies).toMatchObject({ overlap: 'SKIP', catchupWindow: 10_000 });
    expect(spec.jitter).toBe(1_000);
    // Without a word for an hour: since its last check, not since it was made.
    const { report, reportedBy, silentSince, ...news } = await readHealthNews(engine, cluster.name);
    expect(reportedBy?.workflowId).toContain(`check/${cluster.name}`);
    expect({ silentSince, ...news }).toEqual({ silentSince: undefined, schedule: (await mine())[0] });
    const later = await readHealthNews(engine, cluster.name, Date.now() + 3_600_000);
    expect(later.silentSince).toBeGreaterThanOrEqual((report?.at ?? Number.NaN) - 1_000);
    await changeHealthSchedule(engine, cluster.name, 'pause');
    expect(await mine()).toEqual([
      { cluster: cluster.name, everyMs: 10_000, paused: true, changedAt: expect.any(Number) },
    ]);
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
