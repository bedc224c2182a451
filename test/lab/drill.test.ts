import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { LabHost } from '../../lab/hosts/index.js';
import { until } from '../../lab/hosts/machine/run.js';
import { type DrillReport, PROBE_KINDS, SCENARIOS, type Scenario } from '../../src/plan/drill-report.js';
import { expectHealthy } from './support/health.js';
import { Installed } from './support/installed.js';
import { PROGRAM } from './support/root.js';

/** Drills on real hosts. What is asserted is asked of kubectl, etcdctl, ip and the hosts themselves. */
let cluster: Installed;

beforeAll(async () => {
  cluster = await Installed.up('drill', 'stacked');
  await cluster.install();
  await cluster.fetchKubeconfig();
  // A drill refuses a cluster that is not.
  await expectHealthy(cluster);
}, 1_800_000);
afterAll(async () => {
  await cluster?.down();
});

const power = (verb: string) => `${process.execPath} ${PROGRAM} lab ${verb} --name ${cluster.lab.name} {host}`;

function drill(only: Scenario[], ...options: string[]) {
  const args = ['drill', cluster.lab.files.clusterFile, '--only', only.join(','), '--yes', ...options];
  return cluster.kubewright(args, { allowFailure: true, timeoutMs: 1_800_000 });
}

function reportIn(stdout: string): DrillReport | undefined {
  const lines = stdout.split('\n').filter((line) => line.startsWith('{'));
  return lines.map((line) => JSON.parse(line) as DrillReport & { type: string }).find(({ type }) => type === 'drill');
}

async function onEachHost(script: string): Promise<string> {
  const asked = cluster.lab.hosts.map((host) => host.exec(script, { allowFailure: true }));
  return (await Promise.all(asked)).map(({ stdout }) => stdout.trim()).join('');
}

/** As a stranger sees it: everything that was broken works, and nothing of the drill is left anywhere. */
async function expectNothingLeft(): Promise<void> {
  expect(await cluster.whole()).toBe(true);
  expect(await cluster.vipHolders()).toHaveLength(1);
  const objects = ['pod', 'serviceaccount', 'configmap', 'role', 'rolebinding'].map(
    (kind) => `${kind}/kubewright-drill`,
  );
  expect(await cluster.kubectl(['-n', 'kube-system', 'get', ...objects, '--ignore-not-found', '-o', 'name'])).toBe('');
  expect(await onEachHost('ls -d /run/kubewright/drill* 2>/dev/null')).toBe('');
  expect(await onEachHost("systemctl list-units --all --plain --no-legend 'kubewright-drill*'")).toBe('');
  expect(await onEachHost('iptables -S 2>/dev/null | grep KUBEWRIGHT-DRILL')).toBe('');
  expect(await onEachHost('nft list tables 2>/dev/null | grep kubewright_drill')).toBe('');
  for (const host of cluster.controlPlanes()) {
    expect((await host.exec('systemctl is-active haproxy keepalived kubelet')).stdout.split('\n')).toEqual([
      'active',
      'active',
      'active',
    ]);
  }
  await expectHealthy(cluster);
}

/** Waits until something is seen while a drill runs; a drill that has ended meanwhile is told instead. */
async function whileRunning(running: ReturnType<typeof drill>, look: () => Promise<boolean>): Promise<void> {
  let end: string | undefined;
  void running.then(({ all }) => {
    end = all ?? '';
  });
  const isSeen = await until(async () => end !== undefined || (await look()), 1_700_000);
  expect(end, 'the drill has ended already').toBeUndefined();
  expect(isSeen, 'what is waited for was not seen in time').toBe(true);
}

async function holder(): Promise<LabHost> {
  const [host] = await cluster.vipHolders();
  if (host === undefined) throw new Error('nobody has the VIP');
  return host;
}

/** Of the worker that the command has brought. */
async function killWorker(): Promise<void> {
  const { stdout } = await cluster.kubewright(['worker', 'status', '--json']);
  const pids = [...stdout.matchAll(/"pid":(\d+)/g)].map(([, pid]) => Number(pid));
  expect(pids).toHaveLength(1);
  for (const pid of pids) process.kill(pid, 'SIGKILL');
}

describe('a drill of a cluster with stacked etcd', () => {
  test('takes balancer, API server, etcd’s leader, power and network in turn, measures, and puts all back, though its worker is killed while a node is cut off', async () => {
    const [first] = cluster.members();
    if (first === undefined) throw new Error('no etcd member');
    const members = (await cluster.etcdMembers(first)).sort();
    const picture = join(cluster.lab.files.clusterFile, '..', 'drill.svg');
    const options = ['--power-off', power('power-off'), '--power-on', power('power-on'), '--report', picture, '--json'];
    const running = drill([...SCENARIOS], ...options);
    const cut = cluster.lab.host('w-1');
    await whileRunning(running, async () => {
      const { stdout } = await cut.exec('iptables -S 2>/dev/null; nft list tables 2>/dev/null', { allowFailure: true });
      return /KUBEWRIGHT-DRILL|kubewright_drill/.test(stdout);
    });
    await killWorker();
    const { stdout, all, exitCode } = await running;
    const report = reportIn(stdout);
    for (const each of report?.scenarios ?? []) console.log(JSON.stringify(each));
    expect(exitCode, all).toBe(0);
    expect(report?.scenarios.map(({ scenario }) => scenario)).toEqual(SCENARIOS);
    for (const { scenario, gaps, times, victim, prober } of report?.scenarios ?? []) {
      expect(prober, scenario).not.toBe(victim);
      expect(times.healthy, scenario).toBeGreaterThan(times.restored ?? Number.POSITIVE_INFINITY);
      expect(
        gaps.map(({ kind }) => kind),
        scenario,
      ).toEqual(PROBE_KINDS);
      for (const { kind, answered } of gaps) expect(answered, `${scenario} ${kind}`).toBeGreaterThan(50);
    }
    const times = (scenario: Scenario) => report?.scenarios.find((each) => each.scenario === scenario)?.times;
    expect(times('power')?.notReady).toBeGreaterThan(0);
    expect(times('power')?.left).toBeGreaterThan(0);
    expect(times('power')?.returned).toBeGreaterThan(times('power')?.restored ?? Number.POSITIVE_INFINITY);
    expect(times('network')?.notReady).toBeGreaterThan(0);
    expect(report?.scenarios.at(-1)).toMatchObject({ scenario: 'network', victim: 'w-1' });
    expect(await readFile(picture, 'utf8')).toContain('</svg>');
    await expectNothingLeft();
    expect((await cluster.etcdMembers(first)).sort()).toEqual(members);
    const { stdout: screen } = await cluster.kubewright(['status', cluster.lab.name]);
    expect(screen).toContain('network (w-1): API');
  }, 2_400_000);

  test('that is aborted while the balancer stands still starts it first', async () => {
    const host = await holder();
    const running = drill(['balancer']);
    await whileRunning(
      running,
      async () => (await host.exec('systemctl is-active haproxy', { allowFailure: true })).stdout === 'inactive',
    );
    await cluster.kubewright(['abort', '--cluster', cluster.lab.name, '--reason', 'enough'], { allowFailure: true });
    const { exitCode, all } = await running;
    expect(exitCode).toBe(1);
    expect(all).toContain('aborted by');
    await expectNothingLeft();
  }, 1_500_000);

  test('of a cluster that is not healthy is refused, and breaks nothing', async () => {
    const [other] = cluster.controlPlanes().filter(({ name }) => name !== 'cp-1');
    await other?.exec('systemctl stop kubelet');
    try {
      const { exitCode, all } = await drill(['balancer']);
      expect(exitCode).toBe(1);
      expect(all).toMatch(/KW671: .*(KW481|KW650) /s);
      for (const host of cluster.controlPlanes())
        expect((await host.exec('systemctl is-active haproxy')).stdout).toBe('active');
    } finally {
      await other?.exec('systemctl start kubelet');
    }
    await expectNothingLeft();
  }, 900_000);
});
