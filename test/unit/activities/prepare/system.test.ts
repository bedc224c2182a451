import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ownerOf } from '../../../../src/activities/prepare/ownership.js';
import { prepareSystem } from '../../../../src/activities/prepare/prepareSystem.js';
import { digestOf } from '../../../../src/activities/remote-facts.js';
import type { ClusterHost } from '../../../../src/cluster/types.js';
import { kernelFeaturesFor, renderModules } from '../../../../src/render/modules.js';
import { HAS_READ_FILE, NETWORK_MANAGER_PATH } from '../../../../src/render/network-manager.js';
import { renderOwner } from '../../../../src/render/owner.js';
import { renderSysctls, sysctlsFor } from '../../../../src/render/sysctl.js';
import { clusterOf } from '../../cluster-fixture.js';
import { contextOn, FakeHost } from './fake-host.js';

const CLUSTER = clusterOf({ controlPlanes: 1, workers: 1 });
const WORKER = CLUSTER.hosts[1] as ClusterHost;
const TO_DO = { done: false, found: '', changes: [] };

/** A worker on which the step is done. */
function doneHost(): FakeHost {
  const fake = new FakeHost();
  const sysctls = sysctlsFor(CLUSTER, WORKER);
  const features = kernelFeaturesFor('worker', CLUSTER);
  const facts = {
    owner: renderOwner(ownerOf(CLUSTER, WORKER)),
    modules: digestOf(renderModules(features)),
    sysctls: digestOf(renderSysctls(sysctls)),
    'boot-sysctls': '# /etc/sysctl.d/99-sysctl.conf\nnet.ipv4.ip_forward = 0\n',
    'swap-units': '',
    swaps: '',
    fstab: '',
    ...Object.fromEntries(features.map(({ module }) => [`feature-${module}`, ''])),
    ...Object.fromEntries(sysctls),
  };
  for (const [name, text] of Object.entries(facts)) fake.facts.set(name, text);
  fake.answers.set('ln -T', facts.owner);
  return fake;
}

const probe = (fake: FakeHost) => prepareSystem.probe(contextOn(fake, CLUSTER, 'prepareSystem', 'w-1'));
const apply = (fake: FakeHost) => prepareSystem.apply(contextOn(fake, CLUSTER, 'prepareSystem', 'w-1'), TO_DO);

/** Scripts that are run on the host from now on. */
function notedScripts(fake: FakeHost): string[] {
  const scripts: string[] = [];
  const { run } = fake.remote;
  fake.remote.run = (script, options) => {
    scripts.push(script);
    return run(script, options);
  };
  return scripts;
}

describe('prepareSystem', () => {
  it('is done when everything holds now and at the next boot', async () => {
    expect(await probe(doneHost())).toMatchObject({ done: true, changes: [] });
  });

  it.each([
    ['old-sysctls', '', /remove \/etc\/sysctl\.d\/99-kubewright\.conf/],
    [
      'boot-sysctls',
      '# /etc/sysctl.d/zzz.conf\nnet.ipv4.ip_forward = 0',
      /take net\.ipv4\.ip_forward = 0 out of \/etc\/sysctl\.d\/zzz\.conf/,
    ],
    ['swap-units', 'zramswap.service disable', /disable zramswap\.service/],
    ['swaps', '/dev/zram0', /switch swap off \(\/dev\/zram0\)/],
  ])('is not done with %s %j', async (name, text, says) => {
    const fake = doneHost();
    fake.facts.set(name, text);
    const { done, changes } = await probe(fake);
    expect(done).toBe(false);
    expect(changes).toEqual([expect.stringMatching(says)]);
  });

  it('is not done while a module of the network is missing', async () => {
    const fake = doneHost();
    fake.facts.delete('feature-vxlan');
    expect((await probe(fake)).changes).toEqual(['load the kernel module vxlan']);
  });

  it('has a NetworkManager that runs leave the interfaces of pods alone, and read that', async () => {
    const fake = doneHost();
    expect((await probe(fake)).changes).toEqual([]);
    fake.facts.set('network-manager', '');
    expect((await probe(fake)).changes).toEqual([expect.stringContaining(`write ${NETWORK_MANAGER_PATH}`)]);
    const scripts = notedScripts(fake);
    await apply(fake);
    const file = fake.written.get(NETWORK_MANAGER_PATH) ?? '';
    expect(file).toMatch(/^\[keyfile\]\nunmanaged-devices\+=interface-name:cni0;interface-name:veth\*;.*:kube-ipvs0$/m);
    expect(
      scripts.filter((script) =>
        /^set -e\nnmcli general reload conf \|\| systemctl reload NetworkManager/.test(script),
      ),
    ).toHaveLength(1);
    fake.facts.set('network-manager-file', digestOf(file));
    expect((await probe(fake)).changes).toEqual([`have NetworkManager read ${NETWORK_MANAGER_PATH}`]);
    fake.facts.set('network-manager-read', '');
    expect(await probe(fake)).toMatchObject({ done: true });
  });

  it('writes nothing for a NetworkManager that does not run', async () => {
    const fake = doneHost();
    const scripts = notedScripts(fake);
    await apply(fake);
    expect(fake.written.has(NETWORK_MANAGER_PATH)).toBe(false);
    expect(scripts.join()).not.toContain('nmcli');
  });

  it('stops at a file of somebody else that has the last word at every boot, by its name', async () => {
    const fake = doneHost();
    fake.facts.set('boot-sysctls', '# /etc/sysctl.d/zzz.conf\nnet.ipv4.ip_forward = 0');
    await expect(apply(fake)).rejects.toMatchObject({
      code: 'KW451',
      message: expect.stringContaining('/etc/sysctl.d/zzz.conf sets net.ipv4.ip_forward = 0'),
      hint: expect.stringContaining('/etc/sysctl.d/zz-kubewright.conf'),
    });
  });
});

/** What the step runs, in a real bash with these programs; the answer goes back to the step. */
async function inBash(programs: Record<string, string>, part: string): Promise<unknown> {
  const root = mkdtempSync(join(tmpdir(), 'kubewright-system-'));
  onTestFinished(() => rmSync(root, { recursive: true }));
  for (const [name, body] of Object.entries(programs)) {
    writeFileSync(join(root, name), `#!/bin/bash\n${body}\n`);
    chmodSync(join(root, name), 0o755);
  }
  const fake = doneHost();
  const answered = fake.remote.run;
  fake.remote.run = async (script, options) => {
    if (!script.includes(part)) return answered(script, options);
    const moved = script.replaceAll(/\/(proc|sys)\//g, `${root}/$1/`);
    const env = { PATH: `${root}:${process.env.PATH}`, LC_ALL: 'C' };
    try {
      return {
        exitCode: 0,
        stderr: '',
        durationMs: 1,
        stdout: execFileSync('bash', { input: moved, encoding: 'utf8', stdio: 'pipe', env }),
      };
    } catch (error) {
      const { status, stdout, stderr } = error as { status: number; stdout: string; stderr: string };
      return { exitCode: status, stdout, stderr, durationMs: 1 };
    }
  };
  return apply(fake).catch((error: unknown) => error);
}

describe('a kernel module that cannot be loaded', () => {
  it('because the host forbids it is told with the line that does', async () => {
    const modprobe = `case $1 in --showconfig) echo 'install vxlan /bin/false' ;; *) echo 'modprobe: ERROR: invoked /bin/false' >&2; exit 1 ;; esac`;
    expect(await inBash({ modprobe }, 'modprobe --showconfig')).toMatchObject({
      code: 'KW440',
      output: expect.stringMatching(
        /vxlan \(needed for flannel's vxlan backend\): modprobe: ERROR.*\ninstall vxlan \/bin\/false/,
      ),
      hint: expect.stringMatching(/modprobe\.d/),
    });
  });

  it('because it is nowhere is told so, and a reboot is suggested', async () => {
    const modprobe = `[ "$1" = --showconfig ] || { echo 'modprobe: FATAL: Module not found' >&2; exit 1; }`;
    const error = await inBash({ modprobe }, 'modprobe --showconfig');
    expect(error).toMatchObject({ code: 'KW440', hint: expect.stringMatching(/reboot the host.*linux-modules-extra/) });
    expect((error as { output: string }).output.match(/Module not found/g)).toHaveLength(3);
  });
});

it('a setting that the kernel does not have is told as that, not as a read-only /proc', async () => {
  expect(await inBash({}, 'put net.ipv4.ip_forward')).toMatchObject({
    code: 'KW441',
    output: expect.stringContaining('net.ipv4.ip_forward = 1: No such file or directory'),
    hint: expect.stringMatching(/does not have a setting of this name.*module/),
  });
});

it.each([
  ['was told to read it', 'digest', '1 second ago', 0],
  ['was started after it was written', 'other', '1 minute', 0],
  ['runs since before it was written', 'other', '1 minute ago', 1],
  ['runs at a time that nobody tells', 'other', '', 1],
])('a NetworkManager that %s', (_, record, started, status) => {
  const root = mkdtempSync(join(tmpdir(), 'kubewright-manager-'));
  onTestFinished(() => rmSync(root, { recursive: true }));
  const file = `${root}/etc/NetworkManager/conf.d/90-kubewright.conf`;
  const loaded = `${root}/run/kubewright-loaded/NetworkManager.sha256`;
  for (const path of [file, loaded]) mkdirSync(dirname(path), { recursive: true });
  writeFileSync(file, 'ours');
  writeFileSync(loaded, `${record === 'digest' ? digestOf('ours') : digestOf('older')}  -\n`);
  const script = `systemctl() { ${started === '' ? 'echo never' : `date -d '${started}'`}; }
digest() { sha256sum <"$1" | cut -c 1-64; }
${HAS_READ_FILE.replaceAll(/\/(etc|run)\//g, `${root}/$1/`)}has_read_file`;
  expect(spawnSync('bash', ['--norc', '-c', script]).status).toBe(status);
});
