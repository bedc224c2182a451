import { rm } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { checkDns } from '../../../../src/activities/check/checkDns.js';
import type { HealthFinding } from '../../../../src/plan/run.js';
import { clusterOf } from '../../cluster-fixture.js';
import { contextAmong, type FakeHost, fakeHosts, hostIn } from '../fake-hosts.js';
import { layBundle } from '../prepare/fixtures.js';

describe('what pods say', () => {
  let directory: string;
  let cluster: ReturnType<typeof clusterOf>;
  let hosts: Map<string, FakeHost>;
  let via: FakeHost;

  beforeEach(() => {
    directory = layBundle();
    const packages = { source: 'bundle' as const, bundle: directory, proxy: null };
    cluster = clusterOf({ controlPlanes: 1, workers: 2 }, { packages });
    hosts = fakeHosts(cluster);
    via = hostIn(hosts, 'cp-1')
      .fact('initialised', '')
      .fact('ready', 'ok')
      .fact('secrets', '')
      .fact('machine', 'x86_64');
    const version = `v${cluster.kubernetes.version}`;
    const lines = cluster.hosts.map(({ name, address }) => [name, 'True', version, address, 'Ready=True '].join('\t'));
    via.fact('nodes', lines.join('\n'));
    coreDnsOn('cp-1', 'w-1');
  });
  afterEach(() => rm(directory, { recursive: true }));

  function coreDnsOn(...nodes: (string | null)[]) {
    const replicas = nodes.length;
    via.fact(
      'deployment',
      JSON.stringify({
        metadata: { resourceVersion: '1', generation: 1 },
        spec: { replicas, template: { spec: {} } },
        status: { observedGeneration: 1, updatedReplicas: replicas, readyReplicas: replicas, replicas },
      }),
    );
    const items = nodes.map((nodeName, index) => ({
      metadata: { name: `coredns-${index}`, uid: `${index}` },
      spec: nodeName === null ? {} : { nodeName },
      status: {
        conditions: [
          { type: 'Ready', status: nodeName === null ? 'False' : 'True' },
          {
            type: 'PodScheduled',
            status: nodeName === null ? 'False' : 'True',
            message: nodeName === null ? '0/3 nodes are available' : undefined,
          },
        ],
      },
    }));
    via.fact('pods', JSON.stringify({ items }));
  }

  async function findingsOf(stdout: string): Promise<readonly HealthFinding[]> {
    via.answer('clear_pods', { exitCode: stdout === '' ? 0 : 1, stdout });
    const { findings } = await checkDns.probe(contextAmong(hosts, cluster, 'checkDns', null));
    return findings ?? [];
  }

  test('one pod on each node, and one that is scheduled, with a name that no node’s pod can have', async () => {
    expect(await findingsOf('')).toEqual([]);
    const manifest = via.scripts.find(({ input }) => input.includes('kind: Pod'))?.input ?? '';
    expect(manifest.match(/nodeName: /g)).toHaveLength(3);
    expect(manifest.match(/name: kubewright-dns-\w+\.scheduled$/gm)).toHaveLength(1);
    expect(via.log).toContain('-ge 4 ]');
  });

  test.each([
    ['', 'no scheduler has looked at it'],
    ['0/3 nodes are available: 3 Too many pods.', '0/3 nodes are available: 3 Too many pods.'],
  ])('a pod on no node is the scheduler’s fault, and not that of DNS: "%s"', async (said, why) => {
    expect(await findingsOf(`kubewright-silent:  \nkubewright-unplaced: ${said}\nNAME READY\n`)).toMatchObject([
      {
        code: 'KW665',
        host: null,
        evidence: `a pod that may go to any of 3 nodes was put on none within 45 s: ${why}`,
      },
    ]);
  });

  test('nodes whose pods get no answer are told once, also where the scheduled pod went there', async () => {
    const silent = await findingsOf('kubewright-silent: w-1 w-1 \ncheck-w-1 Error\n');
    expect(silent).toMatchObject([
      { code: 'KW483', host: 'w-1', evidence: expect.stringContaining('check-w-1 Error') },
    ]);
  });

  test('CoreDNS on one host alone is told, though names are resolved', async () => {
    coreDnsOn('w-1', 'w-1');
    expect(await findingsOf('')).toMatchObject([
      { code: 'KW484', host: null, evidence: expect.stringContaining('CoreDNS runs on w-1 only') },
    ]);
    coreDnsOn('w-1', null);
    expect(await findingsOf('')).toMatchObject([
      { code: 'KW484', evidence: 'a pod of CoreDNS is not scheduled: 0/3 nodes are available' },
    ]);
  });

  test('where CoreDNS runs is not taken for a no when it cannot be asked', async () => {
    via.fact('deployment', 'Error from server');
    expect(await findingsOf('')).toMatchObject([{ code: 'KW602' }]);
  });

  test('CoreDNS that is not there is told of no node', async () => {
    expect(await findingsOf('CoreDNS is not available\n')).toMatchObject([{ code: 'KW483', host: null }]);
  });
});
