import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type ClusterStatus, readClusterStatus } from '../../src/engine/cluster-status.js';
import { checkNow } from '../../src/engine/runs/checks.js';
import { startRun } from '../../src/engine/runs/start-run.js';
import { changeHealthSchedule, scheduleHealth } from '../../src/engine/schedules.js';
import type { Engine } from '../../src/engine/types.js';
import { planDrill } from '../../src/plan/drill.js';
import { planReset } from '../../src/plan/reset.js';
import type { HealthFinding } from '../../src/plan/run.js';
import type { Sight } from '../../src/plan/sight.js';
import { prepareRun } from '../../src/prepare-run.js';
import { summarise } from '../../src/terminal/status/summary.js';
import { fakeDrill, MEASURED } from './fake-drill.js';
import { engine, fakes, useFreshWorkers, worker } from './fresh-worker.js';
import { blocked, closed, startTest, step, testCluster, until } from './harness.js';

useFreshWorkers();

const record = { generation: 3, build: '0.2.0', at: '2026-03-02T09:30:00Z' };
const notReady: HealthFinding = { code: 'KW481', host: 'w-1', evidence: 'w-1 is not Ready', hint: '' };
const nodes = [
  { ready: false, kubelet: 'v1.34.3', names: ['w-1'] },
  { ready: true, kubelet: 'v1.34.3', names: ['cp-1', 'cp-2', 'w-2'] },
];

/** What fake looks see, and find. */
function sees(look: string, seen: Sight, findings: HealthFinding[] = []): void {
  fakes.on(look, () => ({ outcome: 'unchanged', summary: '', seen, findings }));
}

/** Lists of a Temporal server lag by a moment behind its runs. */
async function statusOnce(cluster: string, holds: (status: ClusterStatus) => boolean): Promise<ClusterStatus> {
  let status: ClusterStatus | undefined;
  const look = async (): Promise<boolean> => {
    status = await readClusterStatus(engine, cluster);
    return holds(status);
  };
  await expect.poll(look, { timeout: 30_000, interval: 250 }).toBe(true);
  if (status === undefined) throw new Error('it was not read');
  return status;
}

async function install(cluster = testCluster()): Promise<string> {
  fakes.on('cluster/record', () => ({ outcome: 'changed', summary: '', data: { generation: 2, build: '0.1.9' } }));
  const plan = [step('cp-1/one'), step('cluster/record', ['cp-1/one'])];
  await startRun(engine, { cluster, plan, planHash: 'hash', build: '0.1.0' });
  await until(engine, cluster.name, closed);
  return cluster.name;
}

/** The engine of somebody whom the server lets do less: a fake of the refusals, all else is asked of the server. */
function engineThatRefuses(refused: { schedules?: boolean; lists?: boolean }): Engine {
  const denied = async (): Promise<never> => {
    throw Object.assign(new Error('7 PERMISSION_DENIED: Request unauthorized.'), { code: 7 });
  };
  const { client } = engine;
  const schedule = { getHandle: () => ({ describe: denied }) };
  const workflowService = Object.create(client.workflowService, { listWorkflowExecutions: { value: denied } });
  const limited = Object.create(client, {
    ...(refused.schedules ? { schedule: { value: schedule } } : {}),
    ...(refused.lists ? { workflowService: { value: workflowService } } : {}),
  });
  return { ...engine, client: limited };
}

describe('the status of a cluster', () => {
  it('behind an install is what it was started with, and what no check has told', async () => {
    const name = await install();
    const status = await readClusterStatus(engine, name);
    expect(status).toMatchObject({
      run: { status: 'completed' },
      applied: { from: 'run', operation: 'install', generation: 2, build: '0.1.9', cluster: { name } },
      health: {},
      unread: {},
    });
    const summary = summarise(status);
    expect(summary).toMatchObject({ state: 'well', hosts: { length: 4 }, endpoint: '10.88.0.100:8443' });
    expect(summary.notKnown).toMatchObject([{ why: 'no check has looked yet' }]);
  });

  it('behind a reset has what is left: of the whole cluster nothing, of one host all others', async () => {
    const name = await install();
    const cluster = testCluster(name);
    await startRun(engine, prepareRun('reset', cluster, planReset(cluster, { host: 'w-2' })));
    await until(engine, name, closed);
    const without = await statusOnce(name, ({ applied }) => applied?.operation === 'reset');
    expect(without.applied?.cluster.hosts.map((host) => host.name)).toEqual(['cp-1', 'cp-2', 'w-1']);
    await startRun(engine, prepareRun('reset', cluster));
    await until(engine, name, closed);
    const nothing = await statusOnce(name, ({ givenBackAt }) => givenBackAt !== undefined);
    expect(nothing.applied).toBeUndefined();
    expect(summarise(nothing)).toMatchObject({ state: 'well', hosts: [], notKnown: [] });
  });

  it('behind a degraded check has what that saw, at its second look where it looked twice, and the record it read', async () => {
    const name = await install();
    const cluster = testCluster(name);
    sees('cluster/endpoint', { virtualIpHolders: ['cp-1'] });
    sees('cluster/nodes', { nodes }, [notReady]);
    fakes.on('cluster/etcd', () => {
      const isFirst = fakes.triesOf('cluster/etcd') === 1;
      const doubt = { code: 'KW476', host: null, evidence: 'not every member answers', hint: '' };
      const seen = { etcdLeader: isFirst ? 'cp-1' : 'cp-2' };
      return { outcome: 'unchanged', summary: '', seen, findings: isFirst ? [doubt] : [] };
    });
    fakes.applied = record;
    // The record says more than the install did: another one has changed the cluster from elsewhere.
    const grown = { ...cluster, kubernetes: { ...cluster.kubernetes, version: '1.34.4' } };
    const report = await checkNow(engine, grown);
    expect(report).toMatchObject({ verdict: 'degraded', fleeting: 1 });
    expect(report.seen).toEqual({ virtualIpHolders: ['cp-1'], etcdLeader: 'cp-2', nodes });
    const status = await statusOnce(name, ({ health }) => health.report !== undefined);
    const { at: _, ...mark } = record;
    expect(status.applied).toMatchObject({ from: 'record', ...mark, cluster: { kubernetes: { version: '1.34.4' } } });
    const summary = summarise(status, { path: 'cluster.yaml', cluster });
    expect(summary).toMatchObject({ state: 'amiss', virtualIpHolders: ['cp-1'], etcdLeader: 'cp-2', notKnown: [] });
    expect(summary.hosts.find((host) => host.name === 'w-1')).toMatchObject({ ready: false, codes: ['KW481'] });
    expect(summary.differences?.lines).toEqual(['kubernetes.version: "1.34.4" → "1.34.3"']);
  });

  it('tells a blocked operation, and the hosts of its plan', async () => {
    fakes.failing('cp-1/one');
    const { cluster } = await startTest(engine, [step('cp-1/one')]);
    await until(engine, cluster.name, blocked());
    const summary = summarise(await readClusterStatus(engine, cluster.name));
    expect(summary).toMatchObject({
      state: 'blocked',
      operation: { operation: 'install', status: 'running', blocked: ['cp-1/one'] },
      hosts: { length: 4 },
    });
    expect(summary.notKnown.map(({ what }) => what)).toContain('what was applied');
  });

  it('is the same while no worker runs', async () => {
    const name = await install();
    sees('cluster/endpoint', { virtualIpHolders: ['cp-2'] });
    fakes.applied = record;
    await checkNow(engine, testCluster(name));
    fakes.failing('cp-1/two');
    const other = await startTest(engine, [step('cp-1/two')]);
    await until(engine, other.cluster.name, blocked());
    const before = await statusOnce(name, ({ health }) => health.report !== undefined);
    await worker.stop();
    const withoutSource = ({ operation, ...summary }: ReturnType<typeof summarise>) => ({
      ...summary,
      operation: { ...operation, source: 'any' },
    });
    const after = summarise(await readClusterStatus(engine, name));
    expect(after).toMatchObject({ virtualIpHolders: ['cp-2'], applied: { from: 'record', generation: 3 } });
    expect(withoutSource(after)).toEqual(withoutSource(summarise(before)));
    expect(summarise(await readClusterStatus(engine, other.cluster.name))).toMatchObject({
      state: 'blocked',
      operation: { source: 'history', blocked: ['cp-1/two'] },
    });
  });

  it('behind a drill has what that has measured, and what was applied before it', async () => {
    const name = await install();
    const directory = await mkdtemp(join(tmpdir(), 'kubewright-drill-'));
    fakeDrill(fakes, directory);
    const cluster = testCluster(name);
    const other = { ...cluster, endpoint: { ...cluster.endpoint, port: 9443 } };
    await startRun(engine, prepareRun('drill', other, planDrill(other, { only: ['balancer'] })));
    const status = await statusOnce(name, ({ drill }) => drill !== undefined);
    await rm(directory, { recursive: true });
    expect(status).toMatchObject({ run: { operation: 'drill', status: 'completed' }, unread: {} });
    expect(status.drill).toMatchObject({ cluster: name, scenarios: [MEASURED] });
    expect(status.applied).toMatchObject({
      from: 'run',
      operation: 'install',
      cluster: { endpoint: cluster.endpoint },
    });
  });

  it('says that a schedule, or checks, could not be read, and why; nothing else suffers', async () => {
    const name = await install();
    const cluster = testCluster(name);
    await scheduleHealth(engine, cluster, 600_000);
    await checkNow(engine, cluster);
    await statusOnce(name, ({ health }) => health.report !== undefined && health.schedule !== undefined);
    const why = '7 PERMISSION_DENIED: Request unauthorized.';
    const noSchedule = await readClusterStatus(engineThatRefuses({ schedules: true }), name);
    expect(noSchedule.health).toMatchObject({ report: { verdict: 'ok' }, unread: { schedule: why } });
    expect(noSchedule.health).not.toHaveProperty('schedule');
    expect(summarise(noSchedule).state).toBe('amiss');
    const noLists = await readClusterStatus(engineThatRefuses({ lists: true }), name);
    expect(noLists).toMatchObject({ run: { status: 'completed' }, applied: { from: 'run' }, unread: { drill: why } });
    expect(noLists.health).toEqual({
      schedule: expect.objectContaining({ everyMs: 600_000 }),
      unread: { checks: why },
    });
    await changeHealthSchedule(engine, name, 'remove');
  });

  it('is known of a cluster that is only checked from here; of one that nobody knows there is none', async () => {
    const cluster = testCluster();
    fakes.applied = record;
    await expect(readClusterStatus(engine, cluster.name)).rejects.toMatchObject({ code: 'KW523' });
    await checkNow(engine, cluster);
    let status: ClusterStatus | undefined;
    const look = () => readClusterStatus(engine, cluster.name).catch(() => undefined);
    await expect.poll(async () => (status = await look()), { timeout: 30_000, interval: 250 }).toBeDefined();
    expect(status).toMatchObject({ health: { report: { verdict: 'ok' } }, applied: { from: 'record' }, unread: {} });
    expect(status).not.toHaveProperty('run');
  });

  it('has what the operation was started with where that ended behind the check', async () => {
    const cluster = testCluster();
    fakes.applied = record;
    await checkNow(engine, cluster);
    await install(cluster);
    const { applied } = await statusOnce(cluster.name, ({ health }) => health.report !== undefined);
    expect(applied).toMatchObject({ from: 'run', generation: 2 });
    await checkNow(engine, cluster);
    const later = await statusOnce(cluster.name, (status) => status.applied?.from === 'record');
    expect(later.applied).toMatchObject({ generation: 3 });
  });
});
