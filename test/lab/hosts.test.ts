import { appendFile, readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type HostKind, type Lab, type LabHost, labUp } from '../../lab/hosts/index.js';
import { until } from '../../lab/hosts/machine/run.js';
import { hostStatus } from '../../lab/hosts/status.js';

/** One connection to a port, seen from this machine. */
async function connects(address: string, port: number): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = connect({ host: address, port, timeout: 1_500 });
    const answer = (reached: boolean): void => {
      socket.destroy();
      resolve(reached);
    };
    socket.once('connect', () => answer(true));
    socket.once('error', () => answer(false));
    socket.once('timeout', () => answer(false));
  });
}

async function reaches(from: LabHost, to: LabHost): Promise<boolean> {
  return (await from.exec(`ping -q -c 1 -W 1 ${to.address}`, { allowFailure: true })).exitCode === 0;
}

const MIRROR = 'apt-get -q update';

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
    // As a person does it: the old key goes, the new one is looked at and taken.
    await execa('ssh-keygen', ['-f', lab.files.knownHosts, '-R', one.address]);
    const { stdout } = await execa('ssh-keyscan', ['-t', 'ed25519', one.address]);
    await appendFile(lab.files.knownHosts, `${stdout}\n`);
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

describe('what a host cannot do to the machine', () => {
  let lab: Lab;
  let host: LabHost;
  beforeAll(async () => {
    lab = await labUp({ name: 'confined', hosts: 1, replace: true });
    host = lab.host('cp-1');
  });
  afterAll(async () => {
    await lab?.down();
  });

  test('set the clock', async () => {
    const { exitCode, stderr } = await host.ssh('date --set 2001-01-01', { allowFailure: true });
    expect(exitCode).not.toBe(0);
    expect(stderr).toContain('Operation not permitted');
    expect(new Date().getFullYear()).toBeGreaterThan(2020);
  });

  test('switch swap on or off', async () => {
    const before = await readFile('/proc/swaps', 'utf8');
    const make = 'head -c 1M /dev/zero > /swapfile && chmod 600 /swapfile && mkswap -q /swapfile';
    for (const command of ['swapon /swapfile', 'swapoff /swapfile']) {
      const { exitCode, stderr } = await host.ssh(`${make} && ${command}`, { allowFailure: true });
      expect(exitCode, command).not.toBe(0);
      expect(stderr, command).toMatch(/Operation not permitted|Not superuser/);
    }
    expect(await readFile('/proc/swaps', 'utf8')).toBe(before);
  });

  // What the kubelet sets, what a cluster.yaml may set, and what would hurt most.
  const SYSCTLS = ['vm/overcommit_memory', 'vm/swappiness', 'kernel/panic', 'kernel/panic_on_oops', 'fs/file-max'];

  test.each(SYSCTLS)('set %s: it has a value of its own', async (name) => {
    const machine = await readFile(`/proc/sys/${name}`, 'utf8');
    const other = machine.trim() === '0' ? '1' : '0';
    expect((await host.ssh(`sysctl -n -w ${name.replace('/', '.')}=${other}`)).stdout).toBe(other);
    expect((await host.ssh(`cat /proc/sys/${name}`)).stdout).toBe(other);
    expect(await readFile(`/proc/sys/${name}`, 'utf8')).toBe(machine);
  });

  test.each(SYSCTLS)('set %s around its own copy', async (name) => {
    const machine = await readFile(`/proc/sys/${name}`, 'utf8');
    const other = machine.trim() === '0' ? '1' : '0';
    const fresh = `mount -t proc proc /mnt && echo ${other} > /mnt/sys/${name}`;
    const ways = [
      `unshare --mount bash -c '${fresh}'`,
      // Not a child of sshd, and in a cgroup of its own.
      `systemd-run --quiet --pipe --wait --property=PrivateMounts=yes bash -c '${fresh}'`,
    ];
    for (const way of ways) {
      const { exitCode, stderr } = await host.ssh(way, { allowFailure: true });
      expect(exitCode, way).not.toBe(0);
      expect(stderr, way).toContain('Operation not permitted');
      expect(await readFile(`/proc/sys/${name}`, 'utf8')).toBe(machine);
    }
  });

  test('load kernel modules, or read the machine’s memory', async () => {
    const status = await host.ssh('grep CapBnd /proc/1/status');
    const bounding = BigInt(`0x${status.stdout.split(/\s+/)[1]}`);
    const CAPABILITIES = { SYS_MODULE: 16n, SYS_RAWIO: 17n, SYS_TIME: 25n };
    for (const [name, bit] of Object.entries(CAPABILITIES)) expect((bounding >> bit) & 1n, name).toBe(0n);
  });

  test('but its network’s sysctls are its own', async () => {
    const machine = await readFile('/proc/sys/net/ipv4/ip_forward', 'utf8');
    await host.ssh('echo net.ipv4.ip_forward=1 > /etc/sysctl.d/90-test.conf && sysctl --system');
    await host.reboot();
    expect((await host.ssh('sysctl -n net.ipv4.ip_forward')).stdout).toBe('1');
    expect(await readFile('/proc/sys/net/ipv4/ip_forward', 'utf8')).toBe(machine);
  });
});

describe('kinds of hosts, beside another lab', () => {
  const PASSWORD = 'correct horse: $battery "staple"';
  let lab: Lab;
  let neighbour: Lab;

  beforeAll(async () => {
    const kinds: Record<string, HostKind[]> = {
      'cp-1': ['sudo'],
      'cp-2': ['sudo-password'],
      'cp-3': ['bastion', 'sudo'],
      'w-1': ['no-mirror'],
    };
    lab = await labUp({ name: 'kinds', hosts: 5, sudoPassword: PASSWORD, kinds, replace: true });
    neighbour = await labUp({ name: 'neighbour', hosts: 1, replace: true });
  });
  afterAll(async () => {
    await Promise.all([lab?.down(), neighbour?.down()]);
  });

  test('sudo: the login user is not root, becomes root without a password, and root cannot log in', async () => {
    const host = lab.host('cp-1');
    expect((await host.ssh('id -un; sudo -n id -un')).stdout.split('\n')).toEqual(['ops', 'root']);
    const root = await execa('ssh', ['-F', lab.files.sshConfig, '-l', 'root', 'cp-1', 'true'], { reject: false });
    expect(root.stderr).toContain('Permission denied');
  });

  test('sudo-password: sudo wants the password', async () => {
    const host = lab.host('cp-2');
    expect((await host.ssh('sudo -n true', { allowFailure: true })).exitCode).not.toBe(0);
    expect((await host.ssh('sudo -k -S id -un', { input: `${PASSWORD}\n` })).stdout).toBe('root');
    expect((await host.ssh('sudo -k -S true', { input: 'wrong\n', allowFailure: true })).exitCode).not.toBe(0);
  });

  test('bastion: only the other hosts reach it', async () => {
    const host = lab.host('cp-3');
    expect(await connects(host.address, 22)).toBe(false);
    expect((await host.ssh('hostname; sudo -n id -un')).stdout.split('\n')).toEqual(['cp-3', 'root']);
    expect(await reaches(lab.host('w-2'), host)).toBe(true);
    expect(await reaches(host, lab.host('cp-1'))).toBe(true);
    await host.ssh(`sudo ${MIRROR}`, { timeoutMs: 120_000 });
  });

  test('no-mirror: it reaches this machine and the other hosts, and nothing else', async () => {
    const host = lab.host('w-1');
    const { exitCode } = await host.ssh(`timeout 8 ${MIRROR} -o Acquire::Retries=0 -o APT::Update::Error-Mode=any`, {
      allowFailure: true,
    });
    expect(exitCode).not.toBe(0);
    expect(await reaches(host, lab.host('w-2'))).toBe(true);
    expect((await host.exec(`ping -q -c 1 -W 1 ${lab.record.plan.subnet.gateway}`)).exitCode).toBe(0);
  });

  test('two labs do not see each other', async () => {
    expect(neighbour.record.plan.subnet.cidr).not.toBe(lab.record.plan.subnet.cidr);
    expect(await reaches(lab.host('w-2'), neighbour.host('cp-1'))).toBe(false);
    expect(await reaches(neighbour.host('cp-1'), lab.host('w-2'))).toBe(false);
  });

  test('a second lab of the same name is refused, and the first one stays', async () => {
    await expect(labUp({ name: 'neighbour', hosts: 1 })).rejects.toMatchObject({ code: 'KW605' });
    expect((await neighbour.host('cp-1').ssh('hostname')).stdout).toBe('cp-1');
  });
});
