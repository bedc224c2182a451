import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type HostKind, type Lab, labUp } from '../../lab/hosts/index.js';
import { connects, MIRROR, reaches } from './support/reach.js';

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
