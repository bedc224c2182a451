import { describe, expect, it } from 'vitest';
import { readHealthNews } from '../../src/engine/health-news.js';
import { type BackgroundReader, readBackground } from '../../src/engine/runs/check-background.js';
import { checkNow, latestReport } from '../../src/engine/runs/checks.js';
import { readerOf } from '../../src/engine/runs/history.js';
import { changeHealthSchedule, listHealthSchedules, scheduleHealth } from '../../src/engine/schedules.js';
import { planCheck } from '../../src/plan/check.js';
import { engine, fakes, useFreshWorkers } from './fresh-worker.js';
import { testCluster } from './harness.js';

useFreshWorkers();

/** As a worker asks Temporal. */
function asksTemporal(): void {
  fakes.background = (cluster, depth) => readBackground(reader(), cluster, depth);
}

function reader(): BackgroundReader {
  const { operatorService } = engine.client.connection as unknown as Pick<BackgroundReader, 'operatorService'>;
  return { ...readerOf(engine), operatorService } as BackgroundReader;
}

const notReady = (host: string) => ({ code: 'KW481', host, evidence: `${host} is not Ready`, hint: 'Look there.' });

describe('a quick check', () => {
  /** Temporal's lists lag a little behind its runs. */
  const known = async (name: string) => (await readBackground(reader(), name, 'quick')).deep;

  it('leaves out what needs a pod, and lets stand what the last deep one has found there', async () => {
    asksTemporal();
    const cluster = testCluster();
    const silent = { code: 'KW483', host: 'w-1', evidence: 'DNS does not answer to a pod on w-1', hint: '' };
    const about = (findings: object[]) => () => ({
      outcome: 'unchanged' as const,
      summary: '',
      findings: findings as never,
    });
    fakes.on('cluster/dns', about([silent]));
    const deep = await checkNow(engine, cluster);
    expect(deep).toMatchObject({ verdict: 'degraded', findings: [silent] });
    expect(deep.deepAt).toBeUndefined();
    await expect.poll(() => known(cluster.name)).toMatchObject({ at: deep.at });
    const before = fakes.triesOf('cluster/dns');
    // Nobody has looked again, so it is not over.
    const quick = await checkNow(engine, cluster, 'quick');
    expect(quick).toMatchObject({ verdict: 'degraded', deepAt: deep.at, looks: deep.looks - 2 });
    expect(quick.findings).toEqual([{ ...silent, look: 'cluster/dns', since: deep.at, seenAt: deep.at }]);
    expect(fakes.triesOf('cluster/dns')).toBe(before);
    // What it sees itself comes to that.
    fakes.on('cluster/nodes', about([notReady('w-1')]));
    const worse = await checkNow(engine, cluster, 'quick');
    expect(worse.findings).toMatchObject([{ code: 'KW481' }, { code: 'KW483', since: deep.at, seenAt: deep.at }]);
    fakes.on('cluster/nodes', about([]));
    fakes.on('cluster/dns', about([]));
    const healed = await checkNow(engine, cluster);
    expect(healed).toMatchObject({ verdict: 'ok', findings: [] });
    await expect.poll(() => known(cluster.name)).toMatchObject({ at: healed.at });
    expect(await checkNow(engine, cluster, 'quick')).toMatchObject({ verdict: 'ok', findings: [], deepAt: healed.at });
  });

  it('is a deep one where none is known: what it leaves out would be taken for well', async () => {
    asksTemporal();
    const cluster = testCluster();
    const report = await checkNow(engine, cluster, 'quick');
    expect(report).toMatchObject({ verdict: 'ok', looks: planCheck(cluster).length });
    expect(report.deepAt).toBeUndefined();
  });

  it('has a schedule beside the deep one, and both are paused, resumed and removed', async () => {
    asksTemporal();
    const cluster = testCluster();
    const { name } = cluster;
    await checkNow(engine, cluster);
    await expect.poll(() => known(name)).toBeDefined();
    const made = await scheduleHealth(engine, cluster, 3_600_000, 10_000);
    expect(made).toMatchObject({ everyMs: 3_600_000, quick: { everyMs: 10_000 } });
    await expect
      .poll(() => latestReport(engine, name, 'quick'), { timeout: 40_000, interval: 500 })
      .toMatchObject({ verdict: 'ok', deepAt: expect.any(Number) });
    // Deep ones are late by hours; quick ones are not, and that is no excuse.
    const later = await readHealthNews(engine, name, Date.now() + 4 * 3_600_000);
    expect(later.silentDepth).toBe('deep');
    const soon = await readHealthNews(engine, name, Date.now() + 600_000);
    expect(soon.silentDepth).toBe('quick');
    await changeHealthSchedule(engine, name, 'pause');
    const quick = engine.client.schedule.getHandle(`health/${name}/quick`);
    expect((await quick.describe()).state.paused).toBe(true);
    expect((await listHealthSchedules(engine)).filter((each) => each.cluster === name)).toMatchObject([
      { paused: true },
    ]);
    await changeHealthSchedule(engine, name, 'resume');
    expect((await quick.describe()).state.paused).toBe(false);
    // Quick ones that are not asked for any more end.
    expect((await scheduleHealth(engine, cluster, 3_600_000)).quick).toBeUndefined();
    await expect(quick.describe()).rejects.toThrow();
    await scheduleHealth(engine, cluster, 3_600_000, 60_000);
    await changeHealthSchedule(engine, name, 'remove');
    await expect(quick.describe()).rejects.toThrow();
  });
});
