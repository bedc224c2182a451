import { rm } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { checkPodNetwork } from '../../../../src/activities/check/checkPodNetwork.js';
import { clusterOf } from '../../cluster-fixture.js';
import { contextAmong, type FakeHost, fakeHosts, hostIn } from '../fake-hosts.js';
import { layBundle } from '../prepare/fixtures.js';

let directory: string;
let cluster: ReturnType<typeof clusterOf>;
let hosts: Map<string, FakeHost>;
let via: FakeHost;

beforeEach(() => {
  directory = layBundle();
  useCluster(2);
});
afterEach(() => rm(directory, { recursive: true }));

function useCluster(workers: number): void {
  const packages = { source: 'bundle' as const, bundle: directory, proxy: null };
  cluster = clusterOf({ controlPlanes: 1, workers }, { packages });
  hosts = fakeHosts(cluster);
  via = hostIn(hosts, 'cp-1').fact('initialised', '').fact('ready', 'ok').fact('secrets', '').fact('machine', 'x86_64');
  ready(cluster.hosts.map(({ name }) => name));
}

function ready(names: string[]): void {
  const version = `v${cluster.kubernetes.version}`;
  const lines = cluster.hosts.map(({ name, address }) =>
    [name, names.includes(name) ? 'True' : 'False', version, address, 'Ready=True '].join('\t'),
  );
  via.fact('nodes', lines.join('\n'));
}

const look = () => checkPodNetwork.probe(contextAmong(hosts, cluster, 'checkPodNetwork', null));

describe('the look at the network between pods', () => {
  test('makes a pod on each node, which does nothing but tell its name, and asks the script to have each ask the others', async () => {
    via.answer('ask_all', { stdout: '' });
    expect(await look()).toMatchObject({ findings: [], found: expect.stringContaining('pods on 3 nodes') });
    const input = via.scripts.find(({ script }) => script.includes('ask_all'))?.input ?? '';
    const [asks = '', ...manifest] = input.split('\n\n');
    expect(asks.split('\n')).toEqual(['cp-1 w-1 w-2', 'w-1 cp-1 w-2', 'w-2 cp-1 w-1']);
    const pods = parseAllDocuments(manifest.join('\n\n')).map((pod) => pod.toJS());
    expect(pods.map(({ spec }) => spec.nodeName)).toEqual(['cp-1', 'w-1', 'w-2']);
    for (const { metadata, spec } of pods) {
      expect(metadata.name).toMatch(/^kubewright-pods-[0-9a-f]{8}-/);
      expect(spec).toMatchObject({ automountServiceAccountToken: false, activeDeadlineSeconds: expect.any(Number) });
      expect(spec.hostNetwork).toBeUndefined();
      const [container] = spec.containers;
      expect(container).toMatchObject({
        imagePullPolicy: 'Never',
        securityContext: { capabilities: { drop: ['ALL'] } },
      });
      expect(container.ports).toBeUndefined();
      expect(container.args.at(-1)).toMatch(/^--http-override=\/echo\?msg=/);
    }
  });

  test('tells a pair that does not reach each other', async () => {
    via.answer('ask_all', { stdout: 'kubewright-unreached: w-1 w-2 silent\nkubewright-unreached: w-2 w-1 silent\n' });
    const hint = expect.stringContaining('needs UDP 8472 between all nodes');
    expect((await look()).findings).toMatchObject([{ code: 'KW687', host: null, hint }]);
  });

  test('asks on nodes that are well, and where there is only one of them it has not looked', async () => {
    ready(['cp-1', 'w-2']);
    via.answer('ask_all', { stdout: '' });
    expect((await look()).findings).toEqual([]);
    expect(via.log).toContain('-ge 2 ]');
    ready(['w-2']);
    expect((await look()).findings).toMatchObject([
      { code: 'KW688', host: null, evidence: expect.stringContaining('only w-2 is as it should be') },
    ]);
  });

  test('a cluster of one node has no other node to reach', async () => {
    useCluster(0);
    expect(await look()).toMatchObject({ findings: [], found: expect.stringContaining('one node') });
    expect(via.log).not.toContain('ask_all');
  });

  test('without a control plane that is ready it has not looked', async () => {
    via.fact('ready', 'not ok');
    expect((await look()).findings).toMatchObject([{ code: 'KW688', host: null }]);
  });

  test('an API that could not be asked is no network that does not work', async () => {
    via.answer('ask_all', { exitCode: 75, stderr: 'etcdserver: leader changed' });
    await expect(look()).rejects.toMatchObject({
      code: 'KW433',
      transient: true,
      message: 'cannot tell whether pods reach each other across nodes: etcdserver: leader changed',
    });
  });
});
