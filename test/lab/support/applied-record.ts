import { expect, test } from 'vitest';
import { DEFAULTS } from '../../../src/cluster/defaults.js';
import type { Installed } from './installed.js';

const COPY = '/etc/kubewright/applied.json';
const CONFIG_MAP = ['-n', 'kube-system', 'get', 'configmap', 'kubewright-applied-spec', '-o'];

interface Recorded {
  generation: number;
  operation: string;
  leftOut: string[];
  cluster: { name: string; kubernetes: { version: string }; hosts: { name: string; role: string }[] };
}

async function inCluster(cluster: Installed): Promise<string> {
  return await cluster.kubectl([...CONFIG_MAP, 'jsonpath={.data.applied\\.json}']);
}

/** What was applied is recorded in the cluster and on each control plane, for root alone, and nowhere else. */
export function expectRecorded(get: () => Installed): void {
  test('what was applied is recorded in the cluster and on each control plane', async () => {
    const cluster = get();
    const text = await inCluster(cluster);
    const recorded = JSON.parse(text) as Recorded;
    expect(recorded).toMatchObject({ operation: 'install', leftOut: [] });
    expect(recorded.cluster).toMatchObject({
      name: cluster.lab.name,
      kubernetes: { version: DEFAULTS.kubernetes.version },
    });
    const names = cluster.lab.hosts.map(({ name, role }) => `${name} ${role}`);
    expect(recorded.cluster.hosts.map(({ name, role }) => `${name} ${role}`).sort()).toEqual(names.sort());
    for (const host of cluster.lab.hosts) {
      const { stdout } = await host.exec(`stat -c '%a %U' ${COPY} 2>/dev/null && cat ${COPY} || echo none`);
      expect(stdout.trim(), host.name).toBe(host.role === 'control-plane' ? `600 root\n${text.trim()}` : 'none');
    }
    const kept = await cluster.kubectl([...CONFIG_MAP, 'jsonpath={.metadata.annotations}']);
    expect(kept).toBe('');
  });
}

/** A copy that is gone comes back with the next install, and nothing else changes. */
export function expectRecordIsMended(get: () => Installed): void {
  test('a record that one control plane has lost is told by plan and written again by install, and nothing else', async () => {
    const cluster = get();
    const [, second] = cluster.controlPlanes();
    if (second === undefined) throw new Error('no second control plane');
    const text = await inCluster(cluster);
    const state = async () => [
      await cluster.kubectl([...CONFIG_MAP, 'jsonpath={.metadata.resourceVersion}']),
      ...(await Promise.all(cluster.lab.hosts.map((host) => cluster.fingerprint(host)))).map(withoutCopies),
    ];
    const before = await state();
    await second.exec(`rm ${COPY}`);
    const plan = await cluster.kubewright(['plan', cluster.lab.files.clusterFile]);
    expect(plan.stdout).toContain(`write it on ${second.name}, where it is missing`);
    const { all = '' } = await cluster.install();
    expect(all).toContain(' 1 of them changed something');
    expect((await second.exec(`cat ${COPY}`)).stdout.trim()).toBe(text.trim());
    expect(await state()).toEqual(before);
    expect((await cluster.install()).all).toContain('nothing to change');
  });
}

function withoutCopies(fingerprint: string): string {
  return fingerprint
    .split('\n')
    .filter((line) => !line.startsWith(COPY))
    .join('\n');
}
