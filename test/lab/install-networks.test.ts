import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { ensureBundle } from '../../src/artifacts/bundle.js';
import { Installed } from './support/installed.js';

/** flannel as its makers publish it, whose own pod network is the default of cluster.yaml. */
async function flannelManifest(version: string): Promise<string> {
  const arch = process.arch === 'arm64' ? 'arm64' : 'amd64';
  return await readFile(join(await ensureBundle({ version, arch }), 'manifests/kube-flannel.yml'), 'utf8');
}

async function choose(cluster: Installed, network: object): Promise<void> {
  const { clusterFile } = cluster.lab.files;
  const file = parse(await readFile(clusterFile, 'utf8'));
  file.spec.network = network;
  await writeFile(clusterFile, stringify(file));
}

const ready = (cluster: Installed) =>
  cluster.kubectl(['get', 'nodes', '-o', 'jsonpath={.items[*].status.conditions[?(@.type=="Ready")].status}']);

describe('a cluster whose pod network a person brings', () => {
  let cluster: Installed;
  let first: { stdout: string };
  beforeAll(async () => {
    cluster = await Installed.up('net-none', 'stacked', { hosts: 4 });
    await choose(cluster, { plugin: 'none' });
    first = await cluster.install();
    await cluster.fetchKubeconfig();
  });
  afterAll(async () => {
    await cluster?.down();
  });

  test('is installed with all nodes waiting, and what is left to do is said', async () => {
    expect(first.stdout).toContain('Left to do: bring a pod network for 10.244.0.0/16');
    expect(new Set((await ready(cluster)).split(' '))).toEqual(new Set(['False']));
  });

  test('is proven by the next install, once the network is there', async () => {
    await cluster.kubectl(['apply', '-f', '-'], await flannelManifest(cluster.version));
    const { stdout } = await cluster.install();
    expect(stdout).not.toContain('Left to do');
    expect(new Set((await ready(cluster)).split(' '))).toEqual(new Set(['True']));
    const pods = await cluster.kubectl([
      '-n',
      'kube-system',
      'get',
      'pods',
      '-l',
      'k8s-app=kube-dns',
      '-o',
      'jsonpath={.items[*].spec.nodeName}',
    ]);
    expect(new Set(pods.split(' ')).size).toBe(2);
  });
});

describe('a cluster with manifests of its own', () => {
  let cluster: Installed;
  const role =
    'apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: { name: net-extra }\nrules: []\n';
  const put = async (name: string, text: string) => {
    const path = join(dirname(cluster.lab.files.clusterFile), name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
  };
  const roles = () => cluster.kubectl(['get', 'clusterrole', 'net-extra', '--ignore-not-found', '-o', 'name']);
  beforeAll(async () => {
    cluster = await Installed.up('net-manifest', 'stacked', { hosts: 4 });
    await put('networks/flannel.yaml', await flannelManifest(cluster.version));
    await put('networks/extra.yaml', role);
    await choose(cluster, { plugin: 'manifest', manifests: ['networks/flannel.yaml', 'networks/extra.yaml'] });
    await cluster.install();
    await cluster.fetchKubeconfig();
  });
  afterAll(async () => {
    await cluster?.down();
  });

  test('has all of them, and nodes that are Ready', async () => {
    expect(new Set((await ready(cluster)).split(' '))).toEqual(new Set(['True']));
    expect(await roles()).toContain('net-extra');
    expect((await cluster.install()).stdout).toContain('nothing to change');
  });

  test('loses what is taken out, and nothing else', async () => {
    await choose(cluster, { plugin: 'manifest', manifests: ['networks/flannel.yaml'] });
    await cluster.install();
    expect(await roles()).toBe('');
    expect(await cluster.kubectl(['-n', 'kube-flannel', 'get', 'daemonset', '-o', 'name'])).toContain(
      'kube-flannel-ds',
    );
  });

  test('takes no other plugin', async () => {
    await choose(cluster, { plugin: 'none' });
    const { exitCode, stdout, stderr } = await cluster.kubewright(['plan', cluster.lab.files.clusterFile], {
      allowFailure: true,
    });
    expect(exitCode).not.toBe(0);
    expect(`${stdout}${stderr}`).toContain('spec.network.plugin');
  });
});
