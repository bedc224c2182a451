import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { DEFAULTS } from '../../../src/cluster/defaults.js';
import type { Installed } from './installed.js';

interface ClusterFile {
  metadata: { name: string };
  spec: {
    hosts: { name: string; labels?: Record<string, string> }[];
    kubernetes?: Record<string, unknown>;
  };
}

/** The keys that the test edits, in the order of the edited file. */
const EDITED = {
  version: '1.37.99',
  podSubnet: '10.245.0.0/16',
  certificateSANs: ['api2.example.org'],
  kubelet: { config: { maxPods: 200 } },
};

/**
 * An edited file on a living cluster, from outside: every key that install cannot change is named with its line, by `plan`
 * and by `install`, and nothing has changed; a label that was taken out of the file is taken off the node.
 */
export function expectEditsAreRefused(get: () => Installed): void {
  test('an edited file is refused key by key before the first change', async () => {
    const cluster = get();
    const before = await livingState(cluster);
    const { path, text, remove } = await edited(cluster, (file) => {
      file.spec.kubernetes = { ...file.spec.kubernetes, ...EDITED };
    });
    try {
      const line = (key: string) => text.split('\n').findIndex((one) => one.includes(`${key}:`)) + 1;
      const told = [
        `spec.kubernetes.version (line ${line('version')}): ${DEFAULTS.kubernetes.version} → ${EDITED.version}`,
        `spec.kubernetes.podSubnet (line ${line('podSubnet')}): 10.244.0.0/16 → 10.245.0.0/16`,
        `spec.kubernetes.certificateSANs (line ${line('certificateSANs')}): no api2.example.org → api2.example.org`,
        `spec.kubernetes.kubelet.config.maxPods (line ${line('maxPods')}): nothing → 200`,
      ];
      const plan = await cluster.kubewright(['plan', path], { allowFailure: true });
      expect(plan.exitCode).toBe(1);
      for (const one of told) expect(oneLine(plan.stdout)).toContain(one);
      const install = await cluster.kubewright(['install', '--no-wait', path], { allowFailure: true });
      expect(install.exitCode, install.all?.slice(-3_000)).toBe(3);
      for (const one of told) expect(oneLine(install.all ?? '')).toContain(one);
      await cluster.kubewright(['abort', '--cluster', cluster.lab.name, '--reason', 'the file goes back']);
    } finally {
      await remove();
    }
    expect(await livingState(cluster)).toEqual(before);
  });

  test('a label that is taken out of the file is taken off the node, and one of somebody else stays', async () => {
    const cluster = get();
    const worker = cluster.nodes().find(({ role }) => role === 'worker')?.name ?? '';
    const labels = async () =>
      JSON.parse(await cluster.kubectl(['get', 'node', worker, '-o', 'jsonpath={.metadata.labels}'])) as Record<
        string,
        string
      >;
    const { path, remove } = await edited(cluster, (file) => {
      for (const host of file.spec.hosts) if (host.name === worker) host.labels = { 'example.org/disk': 'ssd' };
    });
    try {
      await cluster.kubewright(['install', path]);
      expect(await labels()).toMatchObject({ 'example.org/disk': 'ssd' });
    } finally {
      await remove();
    }
    await cluster.kubectl(['label', 'node', worker, 'example.org/mine=1']);
    const plan = await cluster.kubewright(['plan', cluster.lab.files.clusterFile]);
    expect(oneLine(plan.stdout)).toMatch(
      /install applies spec\.hosts\[[^\]]*\]\.labels\["example\.org\/disk"\] \([^)]*\): ssd → nothing/,
    );
    await cluster.install();
    const after = await labels();
    expect(after).not.toHaveProperty('example.org/disk');
    expect(after).toMatchObject({ 'example.org/mine': '1' });
    await cluster.kubectl(['label', 'node', worker, 'example.org/mine-']);
  });
}

export function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ');
}

/** The lab's cluster.yaml with changes, beside it: relative paths in it stay right. */
async function edited(cluster: Installed, change: (file: ClusterFile) => void) {
  const file = parse(await readFile(cluster.lab.files.clusterFile, 'utf8')) as ClusterFile;
  change(file);
  const path = join(cluster.lab.files.clusterFile, '..', 'edited.yaml');
  const text = stringify(file);
  await writeFile(path, text);
  return { path, text, remove: () => rm(path) };
}

/** What a run could have changed on nodes, in the cluster's settings and in its network. */
async function livingState(cluster: Installed): Promise<unknown> {
  const fields = '{.items[*].metadata.uid}';
  const configMaps = ['kubeadm-config', 'kubelet-config', 'kube-proxy'];
  const versions = configMaps.map((name) =>
    cluster.kubectl(['-n', 'kube-system', 'get', 'configmap', name, '-o', 'jsonpath={.metadata.resourceVersion}']),
  );
  const flannel = [
    '-n',
    'kube-flannel',
    'get',
    'configmap,daemonset',
    '-o',
    'jsonpath={.items[*].metadata.generation} {.items[*].data}',
  ];
  return {
    nodes: await cluster.kubectl(['get', 'nodes', '-o', `jsonpath=${fields}`]),
    configMaps: await Promise.all(versions),
    flannel: await cluster.kubectl(flannel),
    hosts: await Promise.all(cluster.lab.hosts.map((host) => cluster.fingerprint(host))),
    kubelets: await Promise.all(
      cluster.lab.hosts.map(
        async (host) => (await host.exec('sha256sum /usr/local/bin/kubelet /proc/$(pgrep -o -x kubelet)/exe')).stdout,
      ),
    ),
  };
}
