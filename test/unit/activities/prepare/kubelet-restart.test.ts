import { copyFileSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, it, onTestFinished } from 'vitest';
import { digestOf } from '../../../../src/activities/remote-facts.js';
import { installBinaries, RUNNING_PROGRAM } from '../../../../src/components/artifacts/bundle/steps/installBinaries.js';
import { renderKubeletDropIn, renderKubeletUnit } from '../../../../src/render/kubelet-unit.js';
import { bundledCluster, newHost, TO_DO } from './bundled.js';
import { contextOn, type FakeHost } from './fake-host.js';

const CLUSTER = bundledCluster();

describe('a kubelet that runs', () => {
  const unit = renderKubeletUnit('containerd.service');
  const dropIn = renderKubeletDropIn();
  const running = (facts: Record<string, string>): FakeHost => {
    const fake = newHost();
    fake.facts.set('/etc/systemd/system/kubelet.service', digestOf(unit));
    fake.facts.set('/etc/systemd/system/kubelet.service.d/10-kubeadm.conf', digestOf(dropIn));
    fake.facts
      .set('enabled', 'enabled')
      .set('program', 'ours')
      .set('loaded', digestOf(unit + dropIn));
    for (const [name, text] of Object.entries(facts)) fake.facts.set(name, text);
    return fake;
  };
  const RESTART = 'restart the kubelet, which runs with an older binary or unit';
  const changes = async (fake: FakeHost) => {
    const context = contextOn(fake, CLUSTER, 'installBinaries');
    await installBinaries.apply(context, TO_DO);
    return (await installBinaries.probe(context)).changes;
  };

  it('with the binary and the unit that are there is left alone', async () => {
    const fake = running({});
    expect(await changes(fake)).toEqual([]);
    expect(fake.durables).toEqual([]);
  });

  it.each([
    ['from a binary that was replaced since', { program: 'other' }],
    ['before its unit was written', { loaded: digestOf('an older unit') }],
    ['before anybody recorded with which unit', { loaded: '' }],
  ])('and was started %s is restarted', async (_, facts) => {
    const fake = running(facts);
    expect(await changes(fake)).toEqual([RESTART]);
    expect(fake.durables.map(({ script }) => script)).toEqual([expect.stringContaining('try-restart kubelet.service')]);
  });

  it('none: nothing is started before kubeadm has given it a configuration', async () => {
    const fake = running({ loaded: '' });
    fake.facts.delete('program');
    expect(await changes(fake)).toEqual([]);
    expect(fake.durables).toEqual([]);
  });

  it('is told from a binary that was replaced by the file itself, not by its name', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'kubewright-kubelet-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    copyFileSync('/bin/sleep', join(folder, 'kubelet'));
    const kubelet = execa(join(folder, 'kubelet'), ['60'], { reject: false });
    onTestFinished(() => void kubelet.kill());
    const script = `systemctl() { echo ${kubelet.pid}; }\n${RUNNING_PROGRAM.replaceAll('/usr/local/bin', folder)}\nrunning`;
    expect((await execa('bash', ['--norc', '-c', script])).stdout).toBe('ours');
    copyFileSync('/bin/sleep', join(folder, 'new'));
    renameSync(join(folder, 'new'), join(folder, 'kubelet'));
    expect((await execa('bash', ['--norc', '-c', script])).stdout).toBe('other');
  });
});
