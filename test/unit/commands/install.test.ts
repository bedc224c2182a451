import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { BUILD } from '../../../src/build.js';
import { loadCluster } from '../../../src/cluster/load.js';
import { prepareInstall } from '../../../src/prepare-run.js';
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
  it('says at its end what a step has left to a person', async () => {
    const leftToDo = 'bring a pod network for 10.244.0.0/16';
    const ended = () => {
      const snapshot = finished(7);
      const [first, ...rest] = snapshot.progress.steps;
      if (first === undefined) throw new Error('no step');
      return { ...snapshot, progress: { ...snapshot.progress, steps: [{ ...first, data: { leftToDo } }, ...rest] } };
    };
    const text = await install(new ScriptedEngine([moment(preparing()), ended()]));
    expect(text.code).toBe(0);
    expect(text.stdout).toContain(`Left to do: ${leftToDo}.`);
    const json = await install(new ScriptedEngine([moment(preparing()), ended()]), '--json');
    const objects = json.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(objects.find(({ type }) => type === 'result')).toMatchObject({ leftToDo: [leftToDo] });
  });

  it('shows the install until it ends, then stops worker and server', async () => {
    const engine = new ScriptedEngine([moment(preparing()), finished(7)]);
    const { code, stdout, stderr } = await install(engine);
    expect(code).toBe(0);
    expect(engine.calls).toEqual([
      'retire on kubewright/cluster/demo',
      'start on kubewright/cluster/demo',
      'worker on kubewright/cluster/demo',
      'leave worker',
      'close engine',
    ]);
    expect(stdout).toContain('cp-1/packages  started: Install packages on cp-1');
    expect(stdout).toContain('demo is installed: 8 steps, 7 of them changed something, in 2 m 11 s.');
    expect(stdout).toContain('Left out by decision: w-1');
    expect(stderr).toContain("Temporal's UI: http://127.0.0.1:8233");
  });

  it('names the workers that never answered and were left out, with an exit code of its own', async () => {
    const result = { cluster: 'demo', changed: 6, unchanged: 0, skipped: ['w-1/join', 'cp-1/x'], unreachable: ['w-1'] };
    const end = moment(done(), { status: 'completed', closedAt: at(131), result });
    const { code, stdout } = await install(new ScriptedEngine([end]), '--leave-out-unreachable');
    expect(code).toBe(5);
    expect(stdout).toContain('Left out, for they never answered: w-1\nThey are not part of the cluster.');
    expect(stdout).not.toMatch(/Left out by decision:.*w-1/);
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
    expect(stderr).toMatch(new RegExp(`then: +kubewright install ${file}`));
    expect(engine.calls).toEqual([
      'retire on kubewright/cluster/demo',
      'start on kubewright/cluster/demo',
      'worker on kubewright/cluster/demo',
      'leave worker',
      'close engine',
    ]);
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
    expect(engine.calls).toEqual([
      'retire on kubewright/cluster/demo',
      'start on kubewright/cluster/demo',
      'worker on kubewright/cluster/demo',
      'waiting',
      'leave worker',
      'close engine',
    ]);
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
      'retire on kubewright/cluster/demo',
      'start on kubewright/cluster/demo',
      'worker on kubewright/cluster/demo',
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
    expect(engine.calls).toEqual([
      'retire on kubewright/cluster/demo',
      'start on kubewright/cluster/demo',
      'worker on kubewright/cluster/demo',
      'detach server',
      'detach worker',
      'leave worker',
      'close engine',
    ]);
    expect(stdout).toContain('kubewright watch demo');
  });

  it('--no-worker brings none', async () => {
    const engine = new ScriptedEngine([finished(0)]);
    await install(engine, '--no-worker');
    expect(engine.calls).toEqual(['start on kubewright', 'close engine']);
  });

  it('asks for a worker with what the hosts need, and says when one without that was replaced', async () => {
    const engine = new ScriptedEngine([finished(0)]);
    engine.replacedFor = ['B_SUDO'];
    const { stderr } = await install(engine);
    expect(engine.asked).toEqual({ replace: true, needs: { variables: [], agent: true } });
    expect(stderr).toContain("The worker that ran had not this terminal's B_SUDO: another one was started.");
  });

  it('says which builds planned and carry out what it follows, where they are others than this', async () => {
    const engine = new ScriptedEngine([finished(0)]);
    engine.attached = true;
    const { stderr: same } = await install(engine);
    expect(same).not.toContain('kubewright 0.1.0');
    engine.plannedBy = '0.1.0+1111111aa';
    engine.workerBuild = '0.1.0+2222222bb';
    const { stderr } = await install(engine);
    expect(stderr).toContain(`It was planned by kubewright 0.1.0+1111111aa; this is ${BUILD}`);
    expect(stderr).toContain(`The worker that runs is kubewright 0.1.0+2222222bb; this is ${BUILD}.`);
    expect(stderr).toContain('What it has begun ends with it; behind that, or after `kubewright worker stop`,');
  });

  it('goes on with the queue of the install that runs, and replaces no worker that serves others as well', async () => {
    const engine = new ScriptedEngine([finished(0)]);
    engine.runningOn = 'kubewright';
    await install(engine);
    expect(engine.calls.slice(0, 3)).toEqual(['retire on kubewright', 'start on kubewright', 'worker on kubewright']);
    expect(engine.asked.replace).toBe(false);
  });

  it('shows which Temporal server it uses, and who named it, before it starts anything', async () => {
    const engine = new ScriptedEngine([finished(0)]);
    const named = 'Temporal: 127.0.0.1:1, namespace default (from TEMPORAL_ADDRESS)';
    const shown = (stderr: string) => /^Temporal: .*$/m.exec(stderr)?.[0];
    expect(shown((await install(engine)).stderr)).toBe(named);
    const own = 'Temporal: 127.0.0.1:7233, namespace default (embedded)';
    expect(shown((await install(engine, '--embedded')).stderr)).toBe(own);
    const { objects } = await install(engine, '--json', '--address', '127.0.0.1:2');
    const [first, second] = objects.filter(({ type }) => type !== 'warning');
    const temporal = { address: '127.0.0.1:2', namespace: 'default', source: 'from --address' };
    expect(first).toMatchObject({ type: 'started', temporal });
    expect(second).not.toHaveProperty('temporal');
  });

  it('refuses another plan while one runs, and shows what differs', async () => {
    const { PlanConflictError } = await import('../../../src/engine/index.js');
    const { cluster } = await loadCluster(file);
    const running = prepareInstall({ ...cluster, kubernetes: { ...cluster.kubernetes, version: '1.34.3' } });
    const engine = new ScriptedEngine([]);
    engine.conflict = new PlanConflictError('An install of demo with another plan is running', 'Wait.', running);
    const { code, stderr } = await install(engine);
    expect(code).toBe(1);
    expect(stderr).toMatch(/kubernetes\.version: .*1\.34\.3.* → .*1\.37\.2/);
    expect(stderr).toContain('error KW520: An install of demo with another plan is running');
    expect(engine.calls).toEqual([
      'retire on kubewright/cluster/demo',
      'start on kubewright/cluster/demo',
      'close engine',
    ]);
  });

  it('ends as interrupted when somebody stops the server on purpose', async () => {
    const engine = new ScriptedEngine([]);
    const { KubewrightError } = await import('../../../src/errors.js');
    engine.conflict = new KubewrightError('KW518', 'The embedded Temporal server was stopped by anna@desk', {
      hint: 'Go on.',
    });
    const { code, stderr } = await install(engine);
    expect(code).toBe(130);
    expect(stderr).toContain('KW518: The embedded Temporal server was stopped by anna@desk\n  Go on.');
  });

  it('is left by the first Ctrl-C while Temporal is got ready', async () => {
    const engine = new ScriptedEngine([]);
    engine.neverConnects = true;
    const running = install(engine);
    await vi.waitFor(() => expect(engine.calls).toContain('connecting'));
    process.emit('SIGINT');
    const { code, stderr } = await running;
    expect(code).toBe(130);
    expect(stderr).toContain('the install of demo was not begun from here');
    expect(engine.calls).toEqual(['connecting']);
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
    const [warning, started, plan] = objects;
    expect(warning).toMatchObject({ type: 'warning', severity: 'warning', line: expect.any(Number) });
    expect(started).toMatchObject({ type: 'started', cluster: 'demo', attached: false });
    expect(plan).toMatchObject({ type: 'plan', cluster: 'demo' });
    expect(objects.at(-2)).toMatchObject({ type: 'result', changed: 7, durationMs: 131_000 });
    expect(objects.at(-1)).toMatchObject({ type: 'end', exitCode: 0 });
  });
});

describe('install with a server of somebody else’s', () => {
  const elsewhere = (polled: 'yes' | 'no' | 'unknown') => {
    const engine = new ScriptedEngine([finished(0)]);
    return Object.assign(engine, { embedded: false, polled });
  };

  it('starts no worker where others work: a forgotten flag makes no laptop a team’s worker', async () => {
    for (const polled of ['yes', 'unknown'] as const) {
      const engine = elsewhere(polled);
      const { stderr } = await install(engine);
      expect(engine.calls).toEqual(['polled kubewright?', 'start on kubewright', 'close engine']);
      expect(stderr).toContain('No worker is started here');
    }
  });

  it('starts one for this cluster alone where nobody works, and says so', async () => {
    const engine = elsewhere('no');
    const { stderr } = await install(engine);
    expect(engine.calls.slice(0, 4)).toEqual([
      'polled kubewright?',
      'retire on kubewright/cluster/demo',
      'start on kubewright/cluster/demo',
      'worker on kubewright/cluster/demo',
    ]);
    expect(stderr).toContain('Nobody works on task queue kubewright there: a worker is started here, for demo alone.');
  });

  it('starts one with --worker, on a queue that gets no other cluster’s steps', async () => {
    const engine = elsewhere('yes');
    await install(engine, '--worker');
    expect(engine.calls.slice(0, 3)).toEqual([
      'retire on kubewright/cluster/demo',
      'start on kubewright/cluster/demo',
      'worker on kubewright/cluster/demo',
    ]);
  });

  it('does not join the team’s workers with --worker either, when the install runs on their queue', async () => {
    const engine = Object.assign(elsewhere('yes'), { runningOn: 'kubewright' });
    const { code, stderr } = await install(engine, '--worker');
    expect(code).toBe(1);
    expect(stderr).toContain('KW552');
    expect(engine.calls).toEqual(['polled kubewright?', 'close engine']);
  });

  it('leaves a colleague’s install to the worker that he has brought', async () => {
    const engine = Object.assign(elsewhere('yes'), { runningOn: 'kubewright/cluster/demo' });
    await install(engine);
    expect(engine.calls).toEqual([
      'polled kubewright/cluster/demo?',
      'start on kubewright/cluster/demo',
      'close engine',
    ]);
  });
});

describe('watch and abort', () => {
  it.each([['watch', 'demo'], ['abort']])(
    '%s is left by the first Ctrl-C while Temporal is got ready',
    async (...argv) => {
      const engine = new ScriptedEngine([]);
      engine.neverConnects = true;
      vi.doMock('../../../src/engine/index.js', async (original) => engine.module(await original<object>()));
      const running = runCommand(
        argv.filter((word) => typeof word === 'string'),
        { env },
      );
      await vi.waitFor(() => expect(engine.calls).toContain('connecting'));
      process.emit('SIGINT');
      const { code, stderr } = await running;
      expect(code).toBe(130);
      expect(stderr).toBe('Temporal: 127.0.0.1:1, namespace default (from TEMPORAL_ADDRESS)\n');
    },
  );
});
