import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Lab, type LabHost, labUp } from '../../lab/hosts/index.js';
import type { Cluster, SshSettings } from '../../src/cluster/types.js';
import type { Hosts, HostsOptions, RemoteHost } from '../../src/hosts/index.js';
import { clientUnderTest } from '../unit/hosts/client.js';
import { clusterOfLab, eventually, poolOf } from './lab-hosts.js';

/** cp-1: sudo without a password · cp-2: with one · cp-3: only through the bastion. */
const PASSWORD = "canary pa$$'word\\";

let lab: Lab;
let cluster: Cluster;
const pools: Hosts[] = [];

beforeAll(async () => {
  lab = await labUp({
    name: `conn-${clientUnderTest()}`,
    hosts: 3,
    kinds: { 'cp-1': ['sudo'], 'cp-2': ['sudo-password'], 'cp-3': ['bastion'] },
    sudoPassword: PASSWORD,
    replace: true,
  });
  cluster = await clusterOfLab(lab);
});
afterEach(async () => {
  await Promise.all(pools.splice(0).map((pool) => pool.close()));
});
afterAll(() => lab?.down());

function host(name: string, ssh: Partial<SshSettings> = {}, options: Partial<HostsOptions> = {}): RemoteHost {
  const changed = structuredClone(cluster);
  for (const each of changed.hosts) if (each.name === name) Object.assign(each.ssh, { client: clientUnderTest() }, ssh);
  const pool = poolOf(changed, { env: { KUBEWRIGHT_SUDO_PASSWORD: PASSWORD }, ...options });
  pools.push(pool);
  return pool.get(name);
}

const on = async (machine: LabHost, script: string): Promise<string> => (await machine.exec(script)).stdout.trim();

describe.each(['cp-1', 'cp-2', 'cp-3'])('%s', (name) => {
  test('is reached, as root, and its commands, files, uploads and durable commands work', async () => {
    const remote = host(name);
    const { stdout } = await remote.run('id -un; hostname; cat', { input: 'the input' });
    expect(stdout).toBe(`root\n${name}\nthe input`);
    expect(await remote.writeFile('/etc/kubewright-test/a', 'content\n', { mode: 0o600 })).toBe(true);
    expect((await remote.readFile('/etc/kubewright-test/a'))?.toString()).toBe('content\n');
    const source = path.join(lab.files.directory, 'upload');
    writeFileSync(source, 'uploaded\n');
    const sha256 = createHash('sha256').update('uploaded\n').digest('hex');
    expect(await remote.upload([{ source, target: '/opt/x', sha256, size: 9, mode: 0o755 }])).toBe(9);
    expect((await remote.run('stat -c "%U %a" /opt/x; cat /opt/x')).stdout).toBe('root 755\nuploaded\n');
    const result = await remote.runDurable({
      id: `test:${name}`,
      script: 'id -un; cat $KUBEWRIGHT_SECRETS/a',
      timeoutSeconds: 30,
      secrets: async () => ({ a: 'short\n' }),
    });
    expect(result).toMatchObject({ exitCode: 0, output: 'root\n[redacted]\n' });
  });
});

describe('sudo', () => {
  test('serves a login user who is not root, and what needs no root runs as that user', async () => {
    expect((await host('cp-1').run('id -un', { root: false })).stdout).toBe('ops\n');
    expect((await host('cp-2').run('id -un', { root: false })).stdout).toBe('ops\n');
  });

  test('has its password on no command line while commands run', async () => {
    const remote = host('cp-2');
    const running = remote.run('sleep 2');
    const machine = lab.host('cp-2');
    const search = `cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n' | grep -c '[c]anary pa' || true`;
    await eventually(async () => (await on(machine, `pgrep -x sleep || true`)) !== '', 'the command runs');
    expect(await on(machine, search)).toBe('0');
    await running;
  });

  test('rejects a wrong password as KW231, after one guess', async () => {
    const machine = lab.host('cp-2');
    const failures = 'journalctl --no-pager -t sudo | grep -c "authentication failure" || true';
    const before = Number(await on(machine, failures));
    await expect(host('cp-2', {}, { env: { KUBEWRIGHT_SUDO_PASSWORD: 'wrong' } }).run('true')).rejects.toMatchObject({
      code: 'KW231',
      transient: false,
      host: 'cp-2',
    });
    expect(Number(await on(machine, failures)) - before).toBeLessThanOrEqual(1);
  });

  test('without a password where one is wanted is KW230 and names the variable', async () => {
    await expect(host('cp-2', {}, { env: {} }).run('true')).rejects.toMatchObject({
      code: 'KW230',
      message: expect.stringContaining('KUBEWRIGHT_SUDO_PASSWORD'),
    });
  });

  test('that refuses the user is KW232', async () => {
    const machine = lab.host('cp-2');
    const rule = '/etc/sudoers.d/kubewright-lab';
    await machine.exec(`mv ${rule} /root/`);
    try {
      await expect(host('cp-2').run('true')).rejects.toMatchObject({ code: 'KW232', transient: false });
    } finally {
      await machine.exec(`mv /root/kubewright-lab ${rule}`);
    }
    expect((await host('cp-2').run('id -un')).stdout).toBe('root\n');
  });
});

describe('host keys', () => {
  test('of the bastion and of the host behind it are both checked', async () => {
    const knownHosts = path.join(lab.files.directory, 'only-the-host');
    const { knownHostsFile, bastion } = cluster.hosts[2]?.ssh ?? {};
    const lines = readFileSync(knownHostsFile ?? '', 'utf8').split('\n');
    writeFileSync(knownHosts, lines.filter((line) => !line.includes(bastion?.address ?? '-')).join('\n'));
    await expect(host('cp-3', { knownHostsFile: knownHosts }).run('true')).rejects.toMatchObject({
      code: 'KW220',
      message: expect.stringContaining(`bastion ${bastion?.address}`),
    });
  });

  test('that changed are refused until a person has decided', async () => {
    const machine = lab.host('cp-1');
    await machine.exec('cp -a /etc/ssh /root/ssh-before; rm /etc/ssh/ssh_host_*; ssh-keygen -A; systemctl restart ssh');
    try {
      await expect(host('cp-1').run('true')).rejects.toMatchObject({
        code: 'KW221',
        transient: false,
        message: expect.stringMatching(/known_hosts:\d+ says/),
        hint: expect.stringContaining(`ssh-keygen -f ${lab.files.knownHosts} -R '${machine.address}'`),
      });
    } finally {
      await machine.exec('cp -a /root/ssh-before/ssh_host_* /etc/ssh/; systemctl restart ssh');
    }
    await host('cp-1').run('true');
  });
});

describe('a host that goes away', () => {
  test('is transient while it is off, and the same object works again afterwards', async () => {
    const machine = lab.host('cp-1');
    const remote = host('cp-1');
    await remote.run('true');
    await machine.powerOff();
    await expect(remote.run('true')).rejects.toMatchObject({
      code: expect.stringMatching(/^KW20[123]$/),
      transient: true,
      host: 'cp-1',
    });
    await machine.powerOn();
    expect((await remote.run('echo back')).stdout).toBe('back\n');
  });

  test('in the middle of a command: silence is noticed', async () => {
    const machine = lab.host('cp-1');
    const remote = host('cp-1');
    const running = remote.run('sleep 60', { timeoutMs: 120_000 });
    await eventually(async () => (await on(machine, 'pgrep -x sleep || true')) !== '', 'the command runs');
    const outcome = running.catch((error: unknown) => error);
    await machine.cut();
    try {
      expect(await outcome).toMatchObject({
        code: 'KW203',
        transient: true,
        message: expect.stringContaining('nothing was heard'),
      });
    } finally {
      await machine.heal();
    }
    expect((await remote.run('echo back')).stdout).toBe('back\n');
  });
});
