import { readdir, readFile } from 'node:fs/promises';
import { release } from 'node:os';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Lab, type LabHost, labDirectory, labUp, takeDown } from '../../lab/hosts/index.js';
import { until } from '../../lab/hosts/machine/run.js';
import { hostStatus } from '../../lab/hosts/status.js';
import { machineArchitecture } from '../../src/artifacts/recipes.js';
import { leftovers, type Snapshot, snapshot } from './snapshot.js';
import { connects, reaches } from './support/reach.js';

const NAME = 'guests';

describe('a guest beside a host in namespaces', () => {
  let before: Snapshot;
  let lab: Lab;
  let neighbour: LabHost;
  let guest: LabHost;

  beforeAll(async () => {
    await takeDown(NAME).catch(() => undefined);
    before = await snapshot(NAME, labDirectory(NAME));
    const architecture = machineArchitecture() ?? 'amd64';
    lab = await labUp({
      name: NAME,
      hosts: 2,
      kinds: { 'w-1': ['sudo'] },
      guests: { 'w-1': { distribution: 'debian-13', architecture } },
    });
    [neighbour, guest] = [lab.host('cp-1'), lab.host('w-1')];
  });
  afterAll(async () => {
    await takeDown(NAME).catch((error: { code?: string }) => {
      if (error.code !== 'KW601') throw error;
    });
  });

  test('has a kernel of its own, cgroup version 2 and a whole systemd', async () => {
    const { stdout } = await guest.ssh('uname -r; stat -fc %T /sys/fs/cgroup; . /etc/os-release; echo $ID-$VERSION_ID');
    const [kernel, cgroup, distribution] = stdout.split('\n');
    expect(kernel).toMatch(/^6\.12\..*-cloud-/);
    expect([cgroup, distribution]).toEqual(['cgroup2fs', 'debian-13']);
    expect((await neighbour.ssh('uname -r')).stdout).toBe(release());
    const running = await guest.ssh('systemctl is-system-running --wait', { allowFailure: true, timeoutMs: 300_000 });
    expect(running.stdout).toBe('running');
  });

  test('takes its kind, its name and its place in the lab’s files as every host does', async () => {
    expect((await guest.ssh('id -un; hostname; sudo -n id -un')).stdout).toBe('ops\nw-1\nroot');
    expect(await readFile(lab.files.clusterFile, 'utf8')).toMatch(/- name: w-1\n\s+address: [\d.]+\n\s+role: worker/);
    expect(await hostStatus(lab, guest)).toMatchObject({
      running: true,
      sshAnswers: true,
      guest: { distribution: 'debian-13' },
      disk: { sizeBytes: expect.any(Number) },
    });
  });

  test('and its neighbour reach each other', async () => {
    expect(await reaches(guest, neighbour)).toBe(true);
    expect(await reaches(neighbour, guest)).toBe(true);
  });

  test('loses every frame when it is cut, and still can be looked at', async () => {
    await guest.cut();
    expect(await connects(guest.address, 22)).toBe(false);
    expect(await reaches(neighbour, guest)).toBe(false);
    expect((await guest.exec('ip -br link show eth0')).stdout).toContain('UP');
    await guest.heal();
    await guest.waitForSsh();
    expect(await until(() => reaches(neighbour, guest), 30_000)).toBe(true);
  });

  test('has a disk that can be full', async () => {
    await guest.fillDisk();
    const { exitCode, stderr } = await guest.ssh('sudo head -c 2M /dev/zero | sudo tee /root/more >/dev/null', {
      allowFailure: true,
    });
    expect(exitCode).not.toBe(0);
    expect(stderr).toContain('No space left on device');
    await guest.freeDisk();
    expect((await hostStatus(lab, guest)).disk?.freeBytes).toBeGreaterThan(10 * 2 ** 30);
  });

  test('is on another boot after a reboot', async () => {
    const [boot, qemu] = [await guest.bootId(), await guest.initPid()];
    await guest.reboot();
    expect(await guest.bootId()).not.toBe(boot);
    expect(await guest.initPid()).not.toBe(qemu);
  });

  test('comes back by itself when its kernel panics', async () => {
    const boot = await guest.bootId();
    // Nobody answers: the kernel is gone with the write.
    const panic = 'echo 1 >/proc/sys/kernel/sysrq; echo c >/proc/sysrq-trigger';
    await guest.exec(panic, { timeoutMs: 2_000, allowFailure: true }).catch(() => undefined);
    const isAnew = async () => ![undefined, boot].includes(await guest.bootId().catch(() => undefined));
    expect(await until(isAnew, 300_000)).toBe(true);
    await guest.waitForSsh();
  });

  test('keeps its disk when it loses power', async () => {
    await guest.ssh('echo kept | sudo tee /root/kept && sync');
    const boot = await guest.bootId();
    await guest.powerOff();
    expect(await connects(guest.address, 22)).toBe(false);
    expect(await hostStatus(lab, guest)).toMatchObject({ running: false, sshAnswers: false });
    await expect(guest.exec('true')).rejects.toMatchObject({ code: 'KW630', host: 'w-1' });

    await guest.powerOn();
    expect(await guest.bootId()).not.toBe(boot);
    expect((await guest.ssh('sudo cat /root/kept')).stdout).toBe('kept');
  });

  test('is gone with the lab: no process, no port, no file', async () => {
    const qemu = await guest.initPid();
    expect(await qemusOf(lab)).toEqual([String(qemu)]);
    await lab.down();
    expect(await qemusOf(lab)).toEqual([]);
    expect(await leftovers(before, NAME, labDirectory(NAME))).toEqual([]);
    await expect(readdir(labDirectory(NAME))).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

/** Ids of all processes of the machine that hold one of the lab's disks. */
async function qemusOf(lab: Lab): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((entry) => /^\d+$/.test(entry));
  const lines = await Promise.all(
    pids.map(async (pid) => [pid, await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')]),
  );
  return lines.filter(([, line]) => line?.includes(`file=${lab.directory}/`)).map(([pid = '']) => pid);
}
