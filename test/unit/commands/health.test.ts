import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { HEALTH_COMPONENTS } from '../../../src/plan/findings.js';
import { done } from '../terminal/snapshots.js';
import { moment, ScriptedEngine } from './engine.js';
import { runCommand } from './run.js';

const CLUSTER = `apiVersion: kubewright.dev/v1alpha1
kind: Cluster
metadata: { name: demo }
spec:
  endpoint: { vip: 10.88.0.100 }
  hosts:
    - { name: cp-1, address: 10.88.0.11, role: control-plane }
`;

let directory = '';
let file = '';
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'kubewright-health-'));
  file = join(directory, 'cluster.yaml');
  await writeFile(file, CLUSTER);
});
afterAll(() => rm(directory, { recursive: true }));

// Should the command reach for a real server all the same, it fails instead of showing something.
const env = { TEMPORAL_ADDRESS: '127.0.0.1:1' };

async function run(engine: ScriptedEngine, ...argv: string[]) {
  vi.doMock('../../../src/engine/index.js', async (original) => engine.module(await original<object>()));
  return await runCommand(argv, { env });
}

const at = Date.UTC(2026, 2, 2, 9, 30);
const well = { cluster: 'demo', at, verdict: 'ok' as const, looks: 5, findings: [] };
const finding = {
  code: 'KW682',
  host: null,
  evidence: 'etcd has no quorum',
  hint: '',
  look: 'cluster/etcd',
  since: at,
};
const down = { ...well, verdict: 'down' as const, findings: [finding] };
const schedule = { cluster: 'demo', everyMs: 300_000, paused: false, changedAt: at };
const heldBy = { operation: 'install' as const, workflowId: 'cluster/demo', since: at };

function engineWith(news: ScriptedEngine['news']): ScriptedEngine {
  const engine = new ScriptedEngine([moment(done(), { status: 'completed' })]);
  engine.news = news;
  return engine;
}

describe('health', () => {
  it('exits with 0 when the cluster is well, with 1 otherwise and when nobody has looked', async () => {
    expect((await run(engineWith({ report: well }), 'health', file)).code).toBe(0);
    expect((await run(engineWith({ report: down }), 'health', file)).code).toBe(1);
    const none = await run(engineWith({}), 'health', file);
    expect(none).toMatchObject({ code: 1, stdout: '' });
    expect(none.stderr).toContain('demo was not checked yet');
  });

  it('exits with 1 when the report is a good one that nothing follows any more', async () => {
    const codeOf = async (news: Parameters<typeof engineWith>[0]) => (await run(engineWith(news), 'health', file)).code;
    expect(await codeOf({ report: well, schedule, silentSince: at })).toBe(1);
    const held = (minutes: number) => ({ ...heldBy, since: Date.now() - minutes * 60_000 });
    expect(await codeOf({ report: well, schedule, heldBy: held(50) })).toBe(0);
    expect(await codeOf({ report: well, schedule, heldBy: held(70) })).toBe(1);
    const { objects } = await run(engineWith({ report: well, schedule, silentSince: at }), 'health', file, '--json');
    expect(objects.find(({ type }) => type === 'health')).toMatchObject({ healthy: false, verdict: 'ok' });
  });

  it('tells people and programs the verdict, what keeps checks from looking, and that none come any more', async () => {
    const news = { report: down, heldBy, schedule, silentSince: at };
    const { objects } = await run(engineWith(news), 'health', file, '--json');
    const told = objects.find(({ type }) => type === 'health');
    expect(told).toMatchObject({ healthy: false, verdict: 'down', heldBy, silentSince: at });
    const { stdout, stderr } = await run(engineWith(news), 'health', file);
    expect(stdout).toContain('demo is down: 1 finding');
    expect(stderr).toContain('left out while an install holds the cluster');
    expect(stderr).toContain(`\`kubewright health schedule ${file} --every 5m\` brings a worker`);
  });

  it('says where it could not read the schedule: the report is told all the same', async () => {
    const news = { report: well, unread: { schedule: '7 PERMISSION_DENIED' } };
    const { stderr, code } = await run(engineWith(news), 'health', file);
    expect(stderr).toContain('Whether checks are scheduled, and still come, is not known: 7 PERMISSION_DENIED.');
    expect(code).toBe(0);
    const { objects } = await run(engineWith(news), 'health', file, '--json');
    expect(objects.find(({ type }) => type === 'health')).toMatchObject({ scheduleUnread: '7 PERMISSION_DENIED' });
  });

  it('draws the last day, and gives programs the same cells', async () => {
    const engine = engineWith({});
    const rows = HEALTH_COMPONENTS.map((component) => ({ component, cells: ['ok' as const, null] }));
    engine.day = { cluster: 'demo', from: 0, to: at, slotMs: 1_800_000, checks: 1, skipped: 0, rows };
    const { objects, code } = await run(engine, 'health', 'history', file, '--json');
    expect(code).toBe(0);
    expect(objects.find(({ type }) => type === 'health-history')).toMatchObject({ checks: 1, rows });
    expect((await run(engine, 'health', 'history', file)).stdout).toContain('  etcd      o.\n');
  });
});

describe('status', () => {
  it('says how the cluster was when it was last looked at, and that its schedule is silent', async () => {
    const news = { report: down, schedule, silentSince: at };
    const { stdout, code } = await run(engineWith(news), 'status', 'demo');
    expect(code).toBe(0);
    expect(stdout).toContain('✗ down: 1 finding');
    expect(stdout).toContain('No check has ended since 2026-03-02 09:30 UTC');
    const { objects } = await run(engineWith(news), 'status', 'demo', '--json');
    expect(objects[0]).toMatchObject({ type: 'install', health: { verdict: 'down', at, silentSince: at } });
    expect(objects[1]).toMatchObject({ type: 'cluster', state: 'amiss', health: { verdict: 'down' }, silentSince: at });
  });

  it('shows the install all the same where health cannot be read, and says that and why', async () => {
    const unread = { checks: '7 PERMISSION_DENIED: list', schedule: '7 PERMISSION_DENIED: describe' };
    const { stdout, code } = await run(engineWith({ unread }), 'status', 'demo', '--exit-code');
    expect(code).toBe(1);
    expect(stdout).toContain('demo  installed');
    expect(stdout).toContain('health: 7 PERMISSION_DENIED: list');
    expect(stdout).toMatch(/whether checks are scheduled.*: 7 PERMISSION_DENIED: describe/);
  });
});
