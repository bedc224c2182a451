import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { loadCluster } from '../../../src/cluster/load.js';
import { prepareInstall } from '../../../src/prepare-install.js';
import { at, blocked, done, preparing } from '../terminal/snapshots.js';
import { moment, ScriptedEngine } from './engine.js';
import { runCommand } from './run.js';

const CLUSTER = `
apiVersion: kubewright.dev/v1alpha1
kind: Cluster
metadata: { name: demo }
spec:
  endpoint: { vip: 10.88.0.100 }
  hosts:
    - { name: cp-1, address: 10.88.0.11, role: control-plane }
    - { name: w-1, address: 10.88.0.21, role: worker }
`;

let directory = '';
let file = '';
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'kubewright-install-'));
  file = join(directory, 'cluster.yaml');
  await writeFile(file, CLUSTER);
});
afterAll(() => rm(directory, { recursive: true }));

// Should the command reach for a real server all the same, it fails instead of starting an install.
const env = { TEMPORAL_ADDRESS: '127.0.0.1:1' };

async function install(engine: ScriptedEngine, ...options: string[]) {
  vi.doMock('../../../src/engine/index.js', async (original) => engine.module(await original<object>()));
  return await runCommand(['install', file, ...options], { env });
}

const finished = (changed: number) =>
  moment(done(), {
    status: 'completed',
    closedAt: at(131),
    result: { cluster: 'demo', changed, unchanged: 8 - changed, skipped: changed === 0 ? [] : ['w-1'] },
  });

describe('install', () => {
  it('shows the install until it ends, then stops worker and server', async () => {
    const engine = new ScriptedEngine([moment(preparing()), finished(7)]);
    const { code, stdout, stderr } = await install(engine);
    expect(code).toBe(0);
    expect(engine.calls).toEqual(['start', 'worker', 'leave worker', 'close engine']);
    expect(stdout).toContain('cp-1/packages  started: Install packages on cp-1');
    expect(stdout).toContain('demo is installed: 8 steps, 7 of them changed something, in 2 m 11 s.');
    expect(stdout).toContain('Left out by decision: w-1');
    expect(stderr).toContain("Temporal's UI: http://127.0.0.1:8233");
  });

  it('says that there was nothing to change', async () => {
    const { code, stdout } = await install(new ScriptedEngine([finished(0)]));
    expect(code).toBe(0);
    expect(stdout).toContain('demo is installed already: nothing to change (8 steps looked at in 2 m 11 s).');
  });

  it('exits with 3 when a step is blocked and nothing else can run, not before', async () => {
    const stuck = blocked();
    stuck.progress.steps = stuck.progress.steps.filter((step) => step.state !== 'running');
    const engine = new ScriptedEngine([moment(blocked()), moment(stuck)]);
    const { code, stdout, stderr } = await install(engine);
    expect(code).toBe(3);
    expect(stdout).toContain('then: kubewright retry cp-2/join --cluster demo');
    expect(stdout).toContain('[ERROR Port-10250]: Port 10250 is in use');
    expect(stderr).toContain(`then: kubewright install ${file}`);
    expect(engine.calls).toEqual(['start', 'worker', 'leave worker', 'close engine']);
  });

  it('does not take the word of a history for it: a decision may be kept for the worker that is coming', async () => {
    const stuck = blocked();
    stuck.progress.steps = stuck.progress.steps.filter((step) => step.state !== 'running');
    const engine = new ScriptedEngine([moment(stuck, { source: 'history' }), finished(7)]);
    expect((await install(engine)).code).toBe(0);
  });

  it('waits for a decision where it is told to, and Ctrl-C leaves everything in order', async () => {
    const stuck = blocked();
    stuck.progress.steps = stuck.progress.steps.filter((step) => step.state !== 'running');
    const engine = new ScriptedEngine([moment(stuck)]);
    const listeners = process.listenerCount('SIGINT');
    const running = install(engine, '--wait');
    await vi.waitFor(() => expect(engine.calls).toContain('waiting'));
    process.emit('SIGINT');
    const { code, stderr } = await running;
    expect(code).toBe(130);
    expect(stderr).toContain(`The install of demo waits where it stands. Go on with: kubewright install ${file}`);
    expect(engine.calls).toEqual(['start', 'worker', 'waiting', 'leave worker', 'close engine']);
    expect(process.listenerCount('SIGINT')).toBe(listeners);
  });

  it('--timeout leaves the install running and says so, with a code of its own', async () => {
    const engine = new ScriptedEngine([moment(preparing())]);
    const { code, stderr } = await install(engine, '--timeout', '1s');
    expect(code).toBe(4);
    expect(stderr).toContain('demo is not finished after 1.0 s. The install goes on in the background.');
    expect(stderr).toContain(`kubewright install ${file}`);
    expect(stderr).toContain('kubewright abort --cluster demo');
    expect(engine.calls).toEqual([
      'start',
      'worker',
      'waiting',
      'detach server',
      'detach worker',
      'leave worker',
      'close engine',
    ]);
  });

  it('hands patience over to the run, and refuses what is no duration before anything else', async () => {
    const engine = new ScriptedEngine([finished(0)]);
    await install(engine, '--patience', '2m');
    expect(engine.patienceMs).toBe(120_000);
    const refused = new ScriptedEngine([]);
    const { code, stderr } = await install(refused, '--patience', 'soon');
    expect(code).toBe(2);
    expect(stderr).toContain('Give a duration such as 90s, 45m or 1h30m.');
    expect(refused.calls).toEqual([]);
  });

  it('--detach leaves both running and returns at once', async () => {
    const engine = new ScriptedEngine([moment(preparing())]);
    const { code, stdout } = await install(engine, '--detach');
    expect(code).toBe(0);
    expect(engine.calls).toEqual(['start', 'worker', 'detach server', 'detach worker', 'leave worker', 'close engine']);
    expect(stdout).toContain('kubewright watch demo');
  });

  it('--no-worker brings none', async () => {
    const engine = new ScriptedEngine([finished(0)]);
    await install(engine, '--no-worker');
    expect(engine.calls).toEqual(['start', 'close engine']);
  });

  it('refuses another plan while one runs, and shows what differs', async () => {
    const { PlanConflictError } = await import('../../../src/engine/index.js');
    const { cluster } = await loadCluster(file);
    const running = prepareInstall({ ...cluster, kubernetes: { ...cluster.kubernetes, version: '1.33.0' } });
    const engine = new ScriptedEngine([]);
    engine.conflict = new PlanConflictError('An install of demo with another plan is running', 'Wait.', running);
    const { code, stderr } = await install(engine);
    expect(code).toBe(1);
    expect(stderr).toMatch(/kubernetes\.version: .*1\.33\.0.* → .*1\.34\.3/);
    expect(stderr).toContain('error KW520: An install of demo with another plan is running');
    expect(engine.calls).toEqual(['start', 'close engine']);
  });

  it('tells how a run ended that did not end well', async () => {
    const failure = { code: 'KW450', message: 'aborted by anna@bastion', hint: 'What is done stays done.' };
    const { code, stderr } = await install(new ScriptedEngine([moment(blocked(), { status: 'failed', failure })]));
    expect(code).toBe(1);
    expect(stderr).toContain('error KW450: aborted by anna@bastion\n  What is done stays done.');
  });

  it('is a stream of objects with --json, and nothing else on stdout', async () => {
    const { code, stdout, objects } = await install(new ScriptedEngine([moment(preparing()), finished(7)]), '--json');
    expect(code).toBe(0);
    expect(objects).toHaveLength(stdout.trimEnd().split('\n').length);
    expect(objects[0]).toMatchObject({ type: 'started', cluster: 'demo', attached: false });
    expect(objects[1]).toMatchObject({ type: 'plan', cluster: 'demo' });
    expect(objects.at(-1)).toMatchObject({ type: 'result', changed: 7, durationMs: 131_000 });
  });
});
