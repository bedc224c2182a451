import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { loadCluster } from '../../../src/cluster/load.js';
import type { StartOptions } from '../../../src/engine/index.js';
import type { DrillReport } from '../../../src/plan/drill-report.js';
import { BALANCER, DRILL } from '../terminal/drills.js';
import { at, done, preparing } from '../terminal/snapshots.js';
import { moment, ScriptedEngine } from './engine.js';
import { type RunOptions, runCommand } from './run.js';

const clusterFile = (controlPlanes: number) => `
apiVersion: kubewright.dev/v1alpha1
kind: Cluster
metadata: { name: demo }
spec:
  endpoint: { vip: 10.88.0.100 }
  hosts:
${Array.from({ length: controlPlanes }, (_, index) => `    - { name: cp-${index + 1}, address: 10.88.0.1${index + 1}, role: control-plane }`).join('\n')}
    - { name: w-1, address: 10.88.0.21, role: worker }
`;

let directory = '';
let file = '';
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'kubewright-drill-'));
  file = join(directory, 'cluster.yaml');
  await writeFile(file, clusterFile(3));
});
afterAll(() => rm(directory, { recursive: true }));

// Should the command reach for a real server all the same, it fails instead of starting something.
const env = { TEMPORAL_ADDRESS: '127.0.0.1:1' };

const finished = (drill: DrillReport = DRILL) =>
  moment(done(), {
    status: 'completed',
    operation: 'drill',
    closedAt: at(131),
    result: { cluster: 'demo', changed: 7, unchanged: 1, skipped: [], drill },
  });

async function drill(argv: string[], engine: ScriptedEngine, options: RunOptions = {}, drills: DrillReport[] = []) {
  const started: StartOptions[] = [];
  vi.doMock('../../../src/engine/index.js', async (original) => {
    const module = engine.module(await original<object>()) as { startRun(engine: object, run: StartOptions): unknown };
    return {
      ...module,
      startRun: (server: object, run: StartOptions) => {
        started.push(run);
        return module.startRun(server, run);
      },
      listDrills: async () => drills,
      readLatestInput: async (_: object, name: string) => ({ cluster: { ...(await loadCluster(file)).cluster, name } }),
    };
  });
  return { ...(await runCommand(['drill', ...argv], { env, ...options })), started };
}

describe('drill', () => {
  it('says what it is going to break, starts it, and tells what was measured', async () => {
    const { code, stdout, stderr, started } = await drill([file, '--yes'], new ScriptedEngine([finished()]));
    expect(code).toBe(0);
    expect(stderr).toContain('api-server: an API server');
    expect(stderr).toContain('(not power: --power-off and --power-on do not say');
    expect(stdout).toContain('The drill of demo is done');
    expect(stdout).toMatch(/power {5}cp-2 .* 2700 /);
    expect(started).toMatchObject([{ operation: 'drill', cluster: { name: 'demo' } }]);
    const breaks = started[0]?.plan.flatMap(({ action, with: parameters }) =>
      action === 'breakPart' ? [parameters?.scenario] : [],
    );
    expect(breaks).toEqual(['balancer', 'api-server', 'etcd-leader', 'network']);
  });

  it('does what was asked for by name alone; power commands go to its worker and into no plan', async () => {
    const power = ['--power-off', "ipmi -H 'bmc {host}' off", '--power-on', 'ipmi -H {address} on'];
    const engine = new ScriptedEngine([finished()]);
    const { started } = await drill(['other', '--only', 'power, network', '--yes', '--move-pods', ...power], engine);
    const [run] = started;
    expect(run?.cluster.name).toBe('other');
    expect(run?.plan.some(({ id }) => id === 'cluster/power-break')).toBe(true);
    expect(run?.plan.some(({ id }) => id === 'cluster/balancer-break')).toBe(false);
    expect(JSON.stringify(run)).not.toContain('ipmi');
    expect(engine.asked.needs?.variables).toEqual(['KUBEWRIGHT_POWER_OFF', 'KUBEWRIGHT_POWER_ON']);
  });

  it('is not begun without the name of the cluster', async () => {
    const engine = new ScriptedEngine([finished()]);
    const nobody = await drill([file], engine);
    expect(nobody.code).toBe(1);
    expect(nobody.stderr).toContain('KW678');
    const wrong = await drill([file], engine, { tty: true, stdin: 'production\n' });
    expect(wrong.stderr).toContain('that is not the name of demo');
    expect([...nobody.started, ...wrong.started]).toEqual([]);
    expect(engine.calls).toEqual([]);
  });

  it('tells all that is wrong with its options at once, before it asks anybody for anything', async () => {
    const engine = new ScriptedEngine([]);
    const options = ['--only', 'api-server,moon', '--power-off', 'ipmi off', '--yes'];
    const { code, stderr, started } = await drill([file, ...options], engine);
    expect(code).toBe(2);
    expect(stderr).toContain('KW117');
    expect(stderr).toContain('there is no scenario "moon"');
    expect(stderr).toContain('--power-off says of no host which');
    expect(stderr).toContain('go together');
    expect([engine.calls, started]).toEqual([[], []]);
  });

  it('refuses what a cluster cannot have: without a second control plane, all of it', async () => {
    const small = join(directory, 'small.yaml');
    await writeFile(small, clusterFile(1));
    const { code, stderr, started } = await drill([small, '--yes'], new ScriptedEngine([]));
    expect(code).toBe(1);
    expect(stderr).toContain('KW670');
    expect(stderr).toContain('no second control plane');
    expect(started).toEqual([]);
  });

  it('ends with code 1 where something went wrong, as a table and as an object', async () => {
    const problem = { step: 'cluster/balancer-health', code: 'KW675', message: 'it is not whole', hint: 'Look.' };
    const engine = () => new ScriptedEngine([finished({ ...DRILL, problems: [problem] })]);
    const told = await drill([file, '--yes'], engine());
    expect(told.code).toBe(1);
    expect(told.stdout).toContain('KW675 cluster/balancer-health: it is not whole');
    const { code, objects } = await drill([file, '--yes', '--json'], engine());
    expect(code).toBe(1);
    expect(objects.find(({ type }) => type === 'drill')).toMatchObject({ cluster: 'demo', problems: [problem] });
    expect(objects.find(({ type }) => type === 'result')).not.toHaveProperty('drill');
  });

  it('writes its time line where that was asked for, and says where it cannot', async () => {
    const picture = join(directory, 'drill.svg');
    const { code } = await drill([file, '--yes', '--report', picture], new ScriptedEngine([finished()]));
    expect(code).toBe(0);
    expect(await readFile(picture, 'utf8')).toContain('<svg xmlns="http://www.w3.org/2000/svg"');
    const nowhere = await drill([file, '--yes', '--report', directory], new ScriptedEngine([finished()]));
    expect(nowhere.stderr).toContain('KW118');
  });
});

describe('Ctrl-C', () => {
  it('aborts a drill and waits until what was begun is put back, instead of leaving it where it stands', async () => {
    const engine = new ScriptedEngine([moment(preparing(), { operation: 'drill' })]);
    const failure = { code: 'KW810', message: 'aborted by anna@test: Ctrl-C.', hint: 'What was broken was put back.' };
    const after = new ScriptedEngine([
      moment(done(), { status: 'failed', operation: 'drill', closedAt: at(9), failure }),
    ]);
    vi.doMock('../../../src/engine/index.js', async (original) => {
      const real = await original<object>();
      const [before, behind] = [engine.module(real), after.module(real)] as Record<
        string,
        (...all: unknown[]) => unknown
      >[];
      const isAborted = () => engine.calls.some((call) => call.startsWith('abort'));
      return { ...before, watchRun: (...all: unknown[]) => (isAborted() ? behind : before)?.watchRun?.(...all) };
    });
    const running = runCommand(['drill', file, '--yes'], { env });
    await vi.waitFor(() => expect(engine.calls).toContain('waiting'));
    process.emit('SIGINT');
    const { code, stderr } = await running;
    expect(code).toBe(1);
    expect(stderr).toContain('Ending in order: what was begun is put back first');
    expect(stderr).toContain('KW810');
    expect(engine.calls).toContain('abort demo {"reason":"Ctrl-C"}');
    expect(engine.calls.slice(-2)).toEqual(['leave worker', 'close engine']);
  });
});

describe('drill history', () => {
  it('shows the last one in full and those before it in a line each', async () => {
    const earlier = { ...DRILL, scenarios: [BALANCER] };
    const { code, stdout } = await drill(['history', 'demo'], new ScriptedEngine([]), {}, [DRILL, earlier]);
    expect(code).toBe(0);
    expect(stdout).toContain('demo was drilled: 2 scenarios measured');
    expect(stdout).toContain('Drill: 1 scenario measured; longest gap 1300 ms (write, balancer)');
  });

  it('says so where there was none', async () => {
    const { stderr } = await drill(['history', 'demo'], new ScriptedEngine([]));
    expect(stderr).toContain('demo was not drilled yet');
  });
});

it('status tells what the last drill has measured', async () => {
  const engine = new ScriptedEngine([finished()]);
  engine.known = { drill: DRILL };
  vi.doMock('../../../src/engine/index.js', async (original) => engine.module(await original<object>()));
  const { stdout } = await runCommand(['status', 'demo'], { env });
  expect(stdout).toContain('power (cp-2): API 900 ms, reads 2600 ms, writes 2700 ms, DNS 130 ms');
  const { objects } = await runCommand(['status', 'demo', '--json'], { env });
  expect(objects.find(({ type }) => type === 'cluster')).toMatchObject({ drill: { scenarios: { length: 2 } } });
});
