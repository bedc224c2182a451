import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { ownIdentity } from '../../../src/engine/processes/identity.js';
import type { Engine } from '../../../src/engine/types.js';
import { FakeSystem } from '../engine/service/fake-system.js';
import { done } from '../terminal/snapshots.js';
import { moment, ScriptedEngine } from './engine.js';
import { runCommand } from './run.js';

const STATE = '/srv/kubewright';
const UNIT = '/etc/systemd/system/kubewright.service';

let system: FakeSystem;
beforeEach(async () => {
  vi.resetModules();
  system = await FakeSystem.make();
  vi.doMock('../../../src/engine/service/system.js', async (original) => ({
    ...(await original<object>()),
    thisSystem: () => system,
  }));
});

const run = (argv: string[], env: NodeJS.ProcessEnv = {}) =>
  runCommand(['server', ...argv], { env: { HOME: '/nowhere', ...env } });
const install = (...argv: string[]) => run(['install-service', '--user', 'root', '--state-dir', STATE, ...argv]);

describe('server install-service', () => {
  it('says what runs as whom, where its data and its environment are, and that secrets come by hand', async () => {
    const { code, stdout, stderr } = await install();
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout:
        'kubewright.service is set up and runs as root; it starts with the machine.\n' +
        `unit         ${UNIT}\ndata         ${STATE}\nenvironment  /etc/kubewright/service.env\n`,
    });
    expect(stderr).toContain('sudo passwords and other secrets');
    const unit = await readFile(join(system.root, UNIT), 'utf8');
    expect(unit).toContain('ExecStart="/usr/bin/node" "/usr/lib/kubewright/bin/kubewright.mjs" "server" "run"');
    expect((await install()).stdout).toContain('kubewright.service is as it was');
    const { objects } = await run(['install-service', '--user', 'root', '--state-dir', '/srv/b', '--json']);
    expect(objects[0]).toMatchObject({ type: 'service', change: 'changed', user: 'root', stateDir: '/srv/b' });
  });

  it('prints the unit with --dry-run, to anybody, and changes nothing', async () => {
    system.uid = 1_000;
    const { code, stdout } = await install('--dry-run');
    expect(code).toBe(0);
    expect(stdout).toContain('\nWatchdogSec=');
    expect(system.calls).toEqual([]);
    await expect(readFile(join(system.root, UNIT))).rejects.toMatchObject({ code: 'ENOENT' });
    const { objects } = await install('--dry-run', '--json');
    expect(objects[0]).toMatchObject({ type: 'service', change: 'none', text: stdout });
  });

  it('keeps what is in its environment out of the unit', async () => {
    await run(['install-service', '--user', 'root', '--state-dir', STATE], {
      SUDO_PASSWORD: 'hush',
      KUBEWRIGHT_PAYLOAD_KEY: 'hush',
    });
    expect(await readFile(join(system.root, UNIT), 'utf8')).not.toContain('hush');
    expect(await readFile(join(system.root, '/etc/kubewright/service.env'), 'utf8')).not.toContain('hush');
  });

  it.each([
    ['KW583', () => Object.assign(system, { uid: 1_000 })],
    ['KW582', () => rm(join(system.root, 'run'), { recursive: true })],
    ['KW588', () => system.file(UNIT, '[Service]\n')],
    ['KW586', () => system.answers.clear()],
  ])('refuses with %s and a hint', async (code, happen) => {
    await happen();
    const { code: exit, stderr } = await install();
    expect(exit).toBe(1);
    expect(stderr).toContain(code);
    expect(system.calls).toEqual([]);
  });

  it('refuses beside a Temporal server elsewhere, and so does what the service starts', async () => {
    const runService = vi.fn();
    vi.doMock('../../../src/engine/service/run.js', () => ({ runService }));
    const env = { TEMPORAL_ADDRESS: 'temporal.example.org:7233' };
    for (const argv of [['install-service', '--user', 'root'], ['run']]) {
      const { code, stderr } = await run([...argv, '--state-dir', STATE], env);
      expect(code).toBe(1);
      expect(stderr).toContain('KW585');
      expect(stderr).toContain('docs/teams.md');
    }
    expect(runService).not.toHaveBeenCalled();
  });
});

describe('server uninstall-service', () => {
  it('says where the data stay', async () => {
    await install();
    const { stdout } = await run(['uninstall-service']);
    expect(stdout).toBe(
      'kubewright.service has stopped and is removed.\n' +
        `Clusters, schedules and histories stay in ${STATE}; \`kubewright server start\` brings them back.\n`,
    );
    expect((await run(['uninstall-service'])).stdout).toBe('There is no kubewright.service.\n');
    await install();
    expect((await run(['uninstall-service', '--json'])).objects[0]).toMatchObject({
      change: 'removed',
      stateDir: STATE,
    });
  });
});

/** A state directory whose service is this process. */
async function servedState(): Promise<string> {
  const stateDir = await mkdtemp(join(tmpdir(), 'kubewright-served-'));
  onTestFinished(() => rm(stateDir, { recursive: true }));
  const process = { ...(await ownIdentity()), users: [], detached: false };
  const service = { ...process, build: '0.1.0+abc', queue: 'kubewright' };
  await writeFile(join(stateDir, 'service.json'), JSON.stringify(service));
  await writeFile(join(stateDir, 'server.json'), JSON.stringify({ ...process, port: 7233, uiPort: null }));
  return stateDir;
}

describe('while the service runs', () => {
  it('`server status` tells it, and `server stop` leaves that to who started it', async () => {
    const stateDir = await servedState();
    expect((await run(['status', '--state-dir', stateDir])).stdout).toBe(
      `Temporal  127.0.0.1:7233\nUI        none\nservice   pid ${process.pid}, version 0.1.0+abc, with a worker for all clusters\n`,
    );
    expect((await run(['status', '--state-dir', stateDir, '--json'])).objects[0]).toMatchObject({
      service: { pid: process.pid, build: '0.1.0+abc' },
    });
    const { code, stderr } = await run(['stop', '--state-dir', stateDir]);
    expect(code).toBe(1);
    expect(stderr).toContain('KW584');
    expect(stderr).toContain('systemctl stop kubewright');
  });

  it('scheduled checks go to its worker, and no other one is brought, unless that is asked for', async () => {
    const stateDir = await servedState();
    const file = join(stateDir, 'cluster.yaml');
    await writeFile(
      file,
      'apiVersion: kubewright.dev/v1alpha1\nkind: Cluster\nmetadata: { name: demo }\nspec:\n  endpoint: { vip: 10.88.0.100 }\n' +
        '  ssh: { sudoPasswordEnv: DEMO_SUDO }\n' +
        '  hosts:\n    - { name: cp-1, address: 10.88.0.11, role: control-plane }\n',
    );
    const engine = new ScriptedEngine([moment(done(), { status: 'completed' })]);
    const queues: string[] = [];
    vi.doMock('../../../src/engine/index.js', async (original) => {
      const module = engine.module(await original<object>()) as { connect: () => Promise<object> };
      return {
        ...module,
        connect: async () => ({ ...(await module.connect()), stateDir }),
        scheduleHealth: async ({ taskQueue }: Engine) => {
          queues.push(taskQueue);
          return { cluster: 'demo', everyMs: 300_000, paused: false, changedAt: 0 };
        },
      };
    });
    const schedule = (...argv: string[]) => runCommand(['health', 'schedule', file, '--every', '5m', ...argv]);
    const { code, stderr } = await schedule();
    expect(code).toBe(0);
    expect(stderr).toContain(`the service (pid ${process.pid}) carries it out`);
    expect(stderr).toContain('finds DEMO_SUDO in /etc/kubewright/service.env alone');
    expect(stderr).not.toContain('in the background');
    expect(engine.calls.filter((call) => call.startsWith('worker on'))).toEqual([]);
    await schedule('--worker');
    await rm(join(stateDir, 'service.json'));
    expect((await schedule()).stderr).toContain('sudo kubewright server install-service');
    expect(queues).toEqual(['kubewright', 'kubewright/cluster/demo', 'kubewright/cluster/demo']);
  });
});
