import { readFile } from 'node:fs/promises';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Lab, type LabHost, labUp } from '../../lab/hosts/index.js';
import { until } from '../../lab/hosts/machine/run.js';
import { hostStatus } from '../../lab/hosts/status.js';
import { acceptKey } from './support/accept-key.js';
import { connects, MIRROR, reaches } from './support/reach.js';

describe('five plain hosts', () => {
  let lab: Lab;
  let one: LabHost;
  let two: LabHost;
  let three: LabHost;

  beforeAll(async () => {
    lab = await labUp({ name: 'hosts', hosts: 5, replace: true });
    [one, two, three] = [lab.host('cp-1'), lab.host('cp-2'), lab.host('cp-3')];
  });
  afterAll(async () => {
    await lab?.down();
  });

  test('run a whole systemd', async () => {
    const states = lab.hosts.map((host) => host.ssh('systemctl is-system-running --wait', { allowFailure: true }));
    expect((await Promise.all(states)).map(({ stdout }) => stdout)).toEqual(Array(5).fill('running'));
  });

  test('answer the OpenSSH client with strict host-key checking and nothing but the lab’s files', async () => {
    for (const host of lab.hosts) {
      const args = ['-F', 'none', '-i', lab.files.privateKey, '-o', `UserKnownHostsFile=${lab.files.knownHosts}`];
      const strict = ['-o', 'StrictHostKeyChecking=yes', '-o', 'BatchMode=yes'];
      const { stdout } = await execa('ssh', [...args, ...strict, `root@${host.address}`, 'hostname']);
      expect(stdout).toBe(host.name);
    }
  });

  test('reach each other', async () => {
    for (const from of lab.hosts) {
      for (const to of lab.hosts) expect(await reaches(from, to), `${from.name} → ${to.name}`).toBe(true);
    }
  });

  test('reach the package mirror', async () => {
    await two.ssh(MIRROR, { timeoutMs: 120_000 });
  });

  test('send nothing out to addresses of Services, which are the cluster’s alone', async () => {
    // As if something around the machine had such an address: the machine itself, which is on the way there.
    const [service, other] = [{ address: '10.111.255.254' }, { address: '10.112.0.1' }];
    const onMachine = (verb: string) =>
      Promise.all([service, other].map(({ address }) => execa('ip', ['address', verb, `${address}/32`, 'dev', 'lo'])));
    await onMachine('replace');
    try {
      expect(await reaches(one, other)).toBe(true);
      expect(await reaches(one, service)).toBe(false);
    } finally {
      await onMachine('delete');
    }
  });

  test('have machine-ids, host keys and boot ids of their own', async () => {
    const facts = [
      'cat /etc/machine-id',
      'cat /etc/ssh/ssh_host_ed25519_key.pub',
      'cat /proc/sys/kernel/random/boot_id',
    ];
    const machine = await readFile('/etc/machine-id', 'utf8').catch(() => '');
    for (const command of facts) {
      const values = await Promise.all(lab.hosts.map(async (host) => (await host.ssh(command)).stdout));
      expect(new Set([...values, machine.trim()]).size, command).toBe(6);
    }
  });

  test('lie in cgroups below the caller’s own', async () => {
    const own = (await readFile('/proc/self/cgroup', 'utf8')).trim().split('\n');
    const init = (await readFile(`/proc/${await one.initPid()}/cgroup`, 'utf8')).trim().split('\n');
    for (const line of own) {
      const below = `${line.replace(/\/$/, '')}/kubewright-lab-hosts/cp-1`;
      expect(
        init.some((other) => other.startsWith(below)),
        below,
      ).toBe(true);
    }
  });

  test('keep their disk when they lose power', async () => {
    await one.ssh('echo kept > /root/kept');
    const before = await one.bootId();

    await one.exec('mkdir -p /sys/fs/cgroup/memory/kubepods-test/pod1 || mkdir -p /sys/fs/cgroup/kubepods-test/pod1');
    await one.powerOff();
    expect(await one.initPid()).toBeUndefined();
    expect(await connects(one.address, 22)).toBe(false);
    await expect(one.exec('true')).rejects.toMatchObject({ code: 'KW630', host: 'cp-1' });

    await one.powerOn();
    expect((await one.ssh('cat /root/kept')).stdout).toBe('kept');
    expect(await one.bootId()).not.toBe(before);
    // Nothing of the former boot's cgroups, as on a machine of its own: the kubelet would look for its containers.
    expect((await one.exec('find /sys/fs/cgroup -name "kubepods-test*"')).stdout).toBe('');
  });

  test('answer nothing without power, also while the kernel still has their network', async () => {
    const held = execa('nsenter', [`--net=/proc/${await one.initPid()}/ns/net`, 'sleep', '60'], { reject: false });
    try {
      expect(await reaches(two, one)).toBe(true);
      await one.powerOff();
      expect(await reaches(two, one)).toBe(false);
      await one.powerOn();
      expect(await reaches(two, one)).toBe(true);
    } finally {
      held.kill();
      await held;
    }
  });

  test('come up clean from a reboot, whoever asked for it', async () => {
    const before = await one.bootId();
    await one.ssh('ip link add leftover type bridge; iptables -A INPUT -s 192.0.2.99 -j DROP; touch /run/leftover');
    await one.reboot();
    const after = await one.bootId();
    expect(after).not.toBe(before);
    expect((await one.ssh('ip -br link; iptables-save; ls /run')).stdout).not.toMatch(/leftover|192\.0\.2\.99/);

    // The connection breaks, as it should.
    await one.ssh('systemctl reboot', { allowFailure: true });
    expect(await until(async () => (await one.bootId().catch(() => after)) !== after, 30_000)).toBe(true);
    await one.waitForSsh();
    expect((await one.ssh('systemctl is-system-running --wait', { allowFailure: true })).stdout).toBe('running');
  });

  test('are other machines after they were replaced: empty disk, other keys, another machine-id', async () => {
    await one.ssh('echo kept > /root/kept');
    const machine = (await one.ssh('cat /etc/machine-id')).stdout;
    const known = await readFile(lab.files.knownHosts, 'utf8');
    await one.replace();
    const refused = await one.ssh('true', { allowFailure: true });
    expect(refused.exitCode).toBe(255);
    expect(refused.stderr).toContain('Host key verification failed');
    expect((await one.exec('ls /root')).stdout).not.toContain('kept');
    expect((await one.exec('cat /etc/machine-id')).stdout).not.toBe(machine);
    expect(await readFile(lab.files.knownHosts, 'utf8')).toBe(known);
    await acceptKey(lab, one);
    expect((await one.ssh('echo in')).stdout).toBe('in');
  });

  test('lose every frame when they are cut, and get them back', async () => {
    await two.exec('ip neigh flush dev eth0');
    await one.cut();
    expect(await connects(one.address, 22)).toBe(false);
    expect(await reaches(two, one)).toBe(false);
    // Not even ARP is answered; the card itself is up.
    expect((await two.exec(`ip neigh show ${one.address}`)).stdout).not.toContain('lladdr');
    expect((await one.exec('ip -br link show eth0')).stdout).toContain('UP');
    expect(await reaches(two, three)).toBe(true);
    expect(await hostStatus(lab, one)).toMatchObject({ running: true, sshAnswers: false, cutFromAll: true });

    await one.heal();
    await one.waitForSsh();
    expect(await until(() => reaches(two, one), 10_000)).toBe(true);
  });

  test('lose power also in the moment in which something there is frozen, as runc freezes each container', async () => {
    const frozen = `systemd-run --quiet --unit=frozen sleep infinity
      pid=$(systemctl show --property=MainPID --value frozen) group=/sys/fs/cgroup/freezer/frozen
      if [ -d "\${group%/*}" ]; then
        mkdir "$group" && echo "$pid" >"$group/cgroup.procs" && echo FROZEN >"$group/freezer.state"
      else
        systemctl freeze frozen
      fi`;
    await one.exec(frozen);
    await one.powerOff();
    expect(await one.initPid()).toBeUndefined();
    await one.powerOn();
    expect((await one.exec('systemctl is-active frozen', { allowFailure: true })).stdout).toBe('inactive');
  });

  test('a cut outlasts power-off and power-on', async () => {
    await one.cut();
    await one.powerOff();
    await one.powerOn();
    expect(await connects(one.address, 22)).toBe(false);
    await one.heal();
    await one.waitForSsh();
    expect(await connects(one.address, 22)).toBe(true);
  });

  test('cut from one host, they reach all others', async () => {
    await one.cut(two);
    expect(await reaches(one, two)).toBe(false);
    expect(await reaches(two, one)).toBe(false);
    expect(await reaches(one, three)).toBe(true);
    expect(await reaches(three, two)).toBe(true);
    expect(await connects(one.address, 22)).toBe(true);
    expect(await hostStatus(lab, two)).toMatchObject({ cutFromAll: false, cutFrom: ['cp-1'] });

    // Healing either of the two is enough.
    await two.heal();
    expect(await until(() => reaches(one, two), 10_000)).toBe(true);
  });

  test('a full disk is one host’s own', async () => {
    const free = async (host: LabHost): Promise<number> =>
      Number((await host.ssh('df --output=avail --block-size=1 / | tail -1')).stdout);
    const machineBefore = await freeOnMachine();
    await one.fillDisk();
    expect(await free(one)).toBeLessThan(2 ** 20);
    const { exitCode, stderr } = await one.ssh('head -c 2M /dev/zero > /root/more', { allowFailure: true });
    expect(exitCode).not.toBe(0);
    expect(stderr).toContain('No space left on device');
    // It is one file system for all that a host keeps.
    expect(
      Number((await one.ssh('df --output=avail --block-size=1 /var/lib/containerd | tail -1')).stdout),
    ).toBeLessThan(2 ** 20);
    expect(await free(two)).toBeGreaterThan(10 * 2 ** 30);
    expect(machineBefore - (await freeOnMachine())).toBeLessThan(2 ** 30);

    await one.freeDisk();
    expect(await free(one)).toBeGreaterThan(10 * 2 ** 30);
  });

  test('take over an address by gratuitous ARP', async () => {
    const keyAt = async (): Promise<string> =>
      (await execa('ssh-keyscan', ['-t', 'ed25519', '-T', '2', lab.vip])).stdout;
    await Promise.all(
      [one, two].map((host) =>
        host.ssh(`${MIRROR} && apt-get -q install --yes iputils-arping`, { timeoutMs: 120_000 }),
      ),
    );
    await one.ssh(`ip address add ${lab.vip}/32 dev eth0`);
    const first = await keyAt();
    await one.cut();
    await two.ssh(`ip address add ${lab.vip}/32 dev eth0 && arping -q -c 1 -U -I eth0 ${lab.vip}`);
    const second = await keyAt();
    await one.heal();
    expect(first).toContain((await one.ssh('cut -d" " -f2 /etc/ssh/ssh_host_ed25519_key.pub')).stdout);
    expect(second).toContain((await two.ssh('cut -d" " -f2 /etc/ssh/ssh_host_ed25519_key.pub')).stdout);
  });
});

async function freeOnMachine(): Promise<number> {
  const { stdout } = await execa('df', ['--output=avail', '--block-size=1', '/']);
  return Number(stdout.split('\n')[1]);
}
