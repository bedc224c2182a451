import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Lab, type LabHost, labUp } from '../../lab/hosts/index.js';
import { ensureTemporal } from '../../src/artifacts/temporal.js';
import { installPacked } from '../package/packed.js';
import { eventually } from './lab-hosts.js';

/**
 * One story, told in order: a host of its own, as an operator's machine, gets Node and the packed package, and has server and
 * worker as a service. What is true is asked of systemd, of processes and of files there.
 */
const PROGRAM = '/usr/local/lib/kubewright/node_modules/kubewright/bin/kubewright.mjs';
const STATE = '/root/.local/state/kubewright';
/** A check of a cluster that nobody can reach waits half a minute for it, and is due every ten seconds. */
const CHECK_MS = 180_000;

/** Nobody is there: a check tells that, and a check is all that is asked for. */
const CLUSTER = `apiVersion: kubewright.dev/v1alpha1
kind: Cluster
metadata: { name: away }
spec:
  endpoint: { vip: 192.0.2.100 }
  hosts:
    - { name: cp-1, address: 192.0.2.11, role: control-plane }
`;

let lab: Lab;
let host: LabHost;

beforeAll(async () => {
  const { cli } = await ensureTemporal();
  lab = await labUp({ name: 'service', hosts: 1, replace: true });
  host = lab.host('cp-1');
  const directory = await mkdtemp(join(tmpdir(), 'kubewright-service-'));
  try {
    const { outside } = await installPacked(directory, '0123456ab');
    await host.exec('mkdir -p /usr/local/lib/kubewright');
    await copy(outside, 'node_modules', '/usr/local/lib/kubewright');
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
  for (const [name, program] of [
    ['node', process.execPath],
    ['temporal', cli],
  ] as const) {
    await copy(join(program, '..'), program.split('/').at(-1) ?? '', '/usr/local/bin');
    await host.exec(`chown 0:0 /usr/local/bin/${name} && chmod 755 /usr/local/bin/${name}`);
  }
  await host.exec('cat > /root/cluster.yaml', { input: CLUSTER });
  // Where cgroups are v1 in a container, nobody tells systemd that a cgroup is empty: it waits this long behind a kill.
  await host.exec(`mkdir -p /etc/systemd/system/kubewright.service.d
    printf '[Service]\\nTimeoutStopSec=20s\\n' > /etc/systemd/system/kubewright.service.d/lab.conf`);
}, 1_800_000);

afterAll(async () => {
  await lab?.down();
});

/** Copies a file or a folder to the host, as root's. */
async function copy(from: string, what: string, to: string): Promise<void> {
  const script = `set -o pipefail
    tar -C "$1" --owner 0 --group 0 -c "$2" | ssh -F "$3" "$4" "tar -C $5 --no-same-owner -x"`;
  await execa('bash', ['-c', script, 'copy', from, what, lab.files.sshConfig, host.name, to]);
}

/** The command line on the host. */
async function kubewright(line: string, allowFailure = false) {
  return await host.exec(`export HOME=/root; /usr/local/bin/node ${PROGRAM} ${line}`, {
    allowFailure,
    timeoutMs: 300_000,
  });
}

const isActive = async () => (await host.exec('systemctl is-active kubewright', { allowFailure: true })).stdout.trim();

/** When the last check of the cluster ended; 0 before the first. */
async function checkedAt(): Promise<number> {
  const { stdout } = await kubewright('health /root/cluster.yaml --json', true);
  const objects = stdout
    .split('\n')
    .filter((line) => line.startsWith('{"'))
    .map((line) => JSON.parse(line) as { type: string; at?: number });
  return objects.find(({ type }) => type === 'health')?.at ?? 0;
}

async function schedules(): Promise<string> {
  return (await kubewright('health list')).stdout;
}

describe('server install-service', () => {
  test('starts server and worker, and systemd has them as one unit', async () => {
    const { stdout } = await kubewright('server install-service');
    expect(stdout).toContain('kubewright.service is set up and runs as root');
    expect(await isActive()).toBe('active');
    expect((await host.exec('systemctl is-enabled kubewright')).stdout.trim()).toBe('enabled');
    const { stdout: mode } = await host.exec('stat -c %a /etc/kubewright/service.env');
    expect(mode.trim()).toBe('600');
    // Both in its cgroup: what systemd stops is all of it.
    const { stdout: status } = await host.exec('systemctl status --no-pager --lines 0 kubewright');
    expect(status).toContain('server run --embedded');
    expect(status).toContain('server start-dev');
    expect((await kubewright('server status')).stdout).toMatch(/^service +pid \d+/m);
  });

  test('again, it changes nothing: the same process', async () => {
    const pid = async () => (await host.exec('systemctl show -p MainPID --value kubewright')).stdout.trim();
    const before = await pid();
    expect((await kubewright('server install-service')).stdout).toContain('is as it was');
    expect(await pid()).toBe(before);
  });

  test('carries out scheduled checks without a terminal', async () => {
    const { stderr } = await kubewright('health schedule /root/cluster.yaml --every 10s');
    expect(stderr).toContain('the service');
    await eventually(async () => (await checkedAt()) > 0, 'a check has ended', CHECK_MS);
    expect((await host.exec('pgrep -fc "[r]ecord worker" || true')).stdout.trim()).toBe('0');
  });

  test('survives its own end, and that of its server', async () => {
    await host.exec('systemctl kill -s KILL --kill-who=main kubewright');
    await eventually(async () => (await isActive()) === 'active', 'it is active again', 120_000);
    const { stdout } = await host.exec('pgrep -f "[s]erver start-dev"');
    await host.exec(`kill -9 ${stdout.trim().split('\n')[0]}`);
    const before = await checkedAt();
    await eventually(async () => (await checkedAt()) > before, 'a later check has ended', CHECK_MS);
    expect(await isActive()).toBe('active');
  });

  test('is back after a loss of power, with the same schedule', async () => {
    const before = { schedules: (await schedules()).split(',')[0], at: await checkedAt() };
    expect(before.schedules).toContain('away: every 10 s');
    await host.powerOff();
    await host.powerOn();
    await eventually(async () => (await isActive()) === 'active', 'it is active', 180_000);
    expect((await schedules()).split(',')[0]).toBe(before.schedules);
    await eventually(async () => (await checkedAt()) > before.at, 'a check has ended on the new boot', CHECK_MS);
  });

  test('is stopped by systemctl alone, in order', async () => {
    const { exitCode, stderr } = await kubewright('server stop', true);
    expect(exitCode).toBe(1);
    expect(stderr).toContain('KW584');
    await host.exec('systemctl stop kubewright', { timeoutMs: 180_000 });
    expect((await host.exec('systemctl show -p Result --value kubewright')).stdout.trim()).toBe('success');
    expect((await host.exec('pgrep -fc "[s]erver start-dev" || true')).stdout.trim()).toBe('0');
    await host.exec('systemctl start kubewright', { timeoutMs: 180_000 });
  });
});

describe('server uninstall-service', () => {
  test('removes the unit and keeps the data, which a server from a terminal goes on with', async () => {
    const { stdout } = await kubewright('server uninstall-service');
    expect(stdout).toContain(STATE);
    expect(await isActive()).toBe('inactive');
    const { stdout: left } = await host.exec(
      'ls /etc/systemd/system/kubewright.service /etc/kubewright/service.env 2>/dev/null || true',
    );
    expect(left).toBe('');
    expect(await schedules()).toContain('away: every 10 s');
    expect(await checkedAt()).toBeGreaterThan(0);
  });
});
