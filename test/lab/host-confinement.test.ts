import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Lab, type LabHost, labUp } from '../../lab/hosts/index.js';

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
