import { describe, expect, it } from 'vitest';
import { type BackgroundReader, readBackground } from '../../src/engine/runs/check-background.js';
import { checkNow } from '../../src/engine/runs/checks.js';
import { readerOf } from '../../src/engine/runs/history.js';
import type { StepReference } from '../../src/plan/run.js';
import type { Sight } from '../../src/plan/sight.js';
import { minuteOf } from '../../src/plan/trends.js';
import { engine, fakes, useFreshWorkers } from './fresh-worker.js';
import { testCluster } from './harness.js';

useFreshWorkers();

const NOW = minuteOf(Date.now());
const HOUR = 3_600_000;

/** As a worker asks Temporal. */
function asksTemporal(): void {
  const { operatorService } = engine.client.connection as unknown as Pick<BackgroundReader, 'operatorService'>;
  const reader = { ...readerOf(engine), operatorService } as BackgroundReader;
  fakes.background = (cluster, depth) => readBackground(reader, cluster, depth);
}

/** A look at a host that has seen this. */
function sees(host: string, seen: Sight): void {
  fakes.on(`${host}/host`, () => ({ outcome: 'unchanged', summary: '', seen }));
}

const member = (host: string, ...leaders: [minute: number, changes: number][]) => ({
  host,
  startedAt: 1,
  samples: leaders.map(([minute, changes]) => [NOW + minute, 900, 0, 0, 900, 0, changes] as const),
});
const disk = (host: string) => ({
  host,
  mount: '/',
  of: 'space' as const,
  total: 100,
  samples: [[NOW, 30] as const],
});

/** What a check has known of the checks before, as it stands in its first event. */
async function knownTo({ root: { workflowId, runId } }: StepReference): Promise<unknown> {
  const { events } = await engine.client.workflow.getHandle(workflowId, runId).fetchHistory();
  const payload = events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads?.[0];
  return JSON.parse(Buffer.from(payload?.data ?? []).toString('utf8')).check.before;
}

describe('what checks have seen of hosts', () => {
  it('is known to the next check, also of a host that could not be asked since', async () => {
    asksTemporal();
    const cluster = testCluster();
    sees('w-1', { disks: [disk('w-1')] });
    sees('cp-1', { members: [member('cp-1', [0, 3])] });
    const seen = { disks: [disk('w-1')], members: [member('cp-1', [0, 3])] };
    expect((await checkNow(engine, cluster)).seen).toEqual(seen);
    fakes.failing('w-1/host');
    await expect.poll(async () => (await checkNow(engine, cluster)).seen).toEqual(seen);
    const last = fakes.calls.at(-1);
    if (last === undefined) throw new Error('no look');
    expect(await knownTo(last.input)).toEqual(seen);
  });

  it('comes from hosts in groups, too, each with its own', async () => {
    const base = testCluster();
    const worker = base.hosts.find(({ role }) => role === 'worker');
    if (worker === undefined) throw new Error('no worker');
    const names = Array.from({ length: 60 }, (_, index) => `w-${index}`);
    const hosts = [
      ...base.hosts.filter(({ role }) => role !== 'worker'),
      ...names.map((name) => ({ ...worker, name })),
    ];
    for (const name of names) sees(name, { disks: [disk(name)] });
    const { seen } = await checkNow(engine, { ...base, hosts });
    const told = (seen?.disks ?? []).map(({ host }) => host);
    expect(new Set(told).size).toBe(told.length);
    expect(told.length + (seen?.moreDisks ?? 0)).toBe(60);
    expect(told.length).toBeGreaterThan(30);
  });
});

describe("etcd's leader", () => {
  it('that changes often is one finding on etcd, and none of a member that was not asked this time', async () => {
    asksTemporal();
    const cluster = testCluster();
    sees('cp-1', { members: [member('cp-1', [-15, 3], [0, 7])] });
    const report = await checkNow(engine, cluster);
    expect(report).toMatchObject({ verdict: 'degraded', findings: [{ code: 'KW667', host: null }] });
    fakes.failing('cp-1/host');
    await expect
      .poll(async () => {
        const { findings, seen } = await checkNow(engine, cluster);
        return [seen?.members?.length, ...findings.map(({ code }) => code)];
      })
      .toEqual([1, 'KW421']);
  });
});

describe('snapshots that the file asks for', () => {
  const asking = () => ({
    ...testCluster(),
    health: { snapshots: { files: '/var/backups/etcd/*.db', maxAge: 26 * HOUR } },
  });
  const snapshot = (host: string, hours: number) => ({ host, file: '/b/a.db', at: Date.now() - hours * HOUR });

  it('are missed where no host has one, or only old ones, and since when', async () => {
    asksTemporal();
    const cluster = asking();
    const hosts = cluster.hosts.filter(({ role }) => role === 'control-plane').map(({ name }) => name);
    for (const name of hosts) sees(name, { snapshots: [{ host: name }] });
    const first = await checkNow(engine, cluster);
    expect(first).toMatchObject({
      verdict: 'degraded',
      findings: [{ code: 'KW669', host: null, evidence: expect.stringContaining(hosts.join(', ')), since: first.at }],
    });
    sees('cp-2', { snapshots: [snapshot('cp-2', 30)] });
    await expect
      .poll(async () => (await checkNow(engine, cluster)).findings)
      .toMatchObject([{ code: 'KW669', evidence: expect.stringContaining('/b/a.db on cp-2'), since: first.at }]);
    sees('cp-1', { snapshots: [snapshot('cp-1', 1)] });
    expect(await checkNow(engine, cluster)).toMatchObject({
      verdict: 'ok',
      findings: [],
      seen: { snapshots: expect.arrayContaining([{ host: 'cp-1', file: '/b/a.db', at: expect.any(Number) }]) },
    });
  });

  it('are not said to be missing while a host could not be asked', async () => {
    const cluster = asking();
    sees('cp-2', { snapshots: [{ host: 'cp-2' }] });
    fakes.failing('cp-1/host');
    const { findings } = await checkNow(engine, cluster);
    expect(findings.map(({ code, host }) => `${code} ${host}`)).toEqual(['KW421 cp-2']);
  });
});
