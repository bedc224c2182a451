import { readFile, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseDocument } from 'yaml';
import { expectGivenBack, type HostStates, statesOf } from './support/given-back.js';
import { Installed } from './support/installed.js';
import { expectPostConditions } from './support/post-conditions.js';

/** Hosts have no program for it. */
const ASK_MODE = `exec 3<>/dev/tcp/127.0.0.1/10249; printf 'GET /proxyMode HTTP/1.0\\r\\n\\r\\n' >&3; tail -n 1 <&3`;
const PODS = ['-n', 'kube-system', 'get', 'pods', '-l', 'k8s-app=kube-proxy', '--field-selector'];

/** Beside what a lab sets there. */
async function setMode({ lab }: Installed, mode: string): Promise<void> {
  const document = parseDocument(await readFile(lab.files.clusterFile, 'utf8'));
  document.setIn(['spec', 'kubernetes', 'kubeProxy', 'mode'], mode);
  await writeFile(lab.files.clusterFile, document.toString());
}

describe('kube-proxy in mode nftables, three control planes and a worker', () => {
  let cluster: Installed;
  let hostsBefore: HostStates;

  beforeAll(async () => {
    cluster = await Installed.up('kp-nft', 'stacked', { hosts: 4 });
    hostsBefore = await statesOf(cluster);
    await setMode(cluster, 'nftables');
    const began = Date.now();
    await cluster.install();
    console.log(`install-kube-proxy: installed in ${Math.round((Date.now() - began) / 1000)} s`);
    await cluster.fetchKubeconfig();
  });
  afterAll(async () => {
    await cluster?.down();
  });

  expectPostConditions(() => cluster);

  test('every node carries Services by nftables, and none by iptables', async () => {
    const address = await cluster.kubectl(['get', 'service', 'kubernetes', '-o', 'jsonpath={.spec.clusterIP}']);
    for (const host of cluster.nodes()) {
      const { name } = host;
      const { stdout: mode } = await host.exec(ASK_MODE);
      expect({ name, mode: mode.trim() }).toEqual({ name, mode: 'nftables' });
      const pod = await cluster.kubectl([...PODS, `spec.nodeName=${name}`, '-o', 'jsonpath={.items[0].metadata.name}']);
      const table = ['-n', 'kube-system', 'exec', pod, '--', 'nft', 'list', 'table', 'ip', 'kube-proxy'];
      expect(await cluster.kubectl(table)).toContain(address);
      const { stdout: chains } = await host.exec('iptables-save -t nat 2>/dev/null | grep -c KUBE-SVC || true');
      expect({ name, chains: chains.trim() }).toEqual({ name, chains: '0' });
    }
  });

  test('another mode is refused on the living cluster, by its key', async () => {
    await setMode(cluster, 'iptables');
    const { exitCode, all } = await cluster.kubewright(['plan', cluster.lab.files.clusterFile], { allowFailure: true });
    await setMode(cluster, 'nftables');
    expect(exitCode).not.toBe(0);
    expect(all).toContain('spec.kubernetes.kubeProxy.mode');
  });

  expectGivenBack(() => ({ cluster, before: hostsBefore }));
});
