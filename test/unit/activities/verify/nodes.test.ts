import { beforeEach, describe, expect, test } from 'vitest';
import { verifyNodes } from '../../../../src/activities/verify/verifyNodes.js';
import { clusterOf } from '../../cluster-fixture.js';
import { contextAmong, type FakeHost, fakeHosts, hostIn } from '../fake-hosts.js';

const cluster = clusterOf({ controlPlanes: 1, workers: 1 });
const version = `v${cluster.kubernetes.version}`;
const CALM = 'MemoryPressure=False Ready=True ';

let hosts: Map<string, FakeHost>;
let via: FakeHost;

beforeEach(() => {
  hosts = fakeHosts(cluster);
  via = hostIn(hosts, 'cp-1').fact('initialised', '').fact('ready', 'ok').fact('secrets', '');
  nodes({});
});

function nodes(worker: { ready?: string; version?: string; address?: string; conditions?: string }): void {
  const [first, second] = cluster.hosts;
  const lines = [
    [first?.name, 'True', version, first?.address, CALM],
    [
      second?.name,
      worker.ready ?? 'True',
      worker.version ?? version,
      worker.address ?? second?.address,
      worker.conditions ?? CALM,
    ],
  ];
  via.fact('nodes', lines.map((line) => line.join('\t')).join('\n'));
}

const probe = () => verifyNodes.probe(contextAmong(hosts, cluster, 'verifyNodes', null));

describe('the nodes are as they should be', () => {
  test('when all are Ready with the right version and address, and no join left a token', async () => {
    expect(await probe()).toMatchObject({ done: true, found: `2 nodes Ready with ${version}` });
  });

  test.each([
    [{ ready: 'False' }, 'w-1 is not Ready'],
    [{ version: 'v1.33.0' }, 'w-1 has kubelet v1.33.0'],
    [{ address: '10.88.0.100' }, 'w-1 has the address 10.88.0.100 instead of'],
    [{ conditions: 'DiskPressure=True Ready=True ' }, 'w-1 has the condition DiskPressure=True'],
  ])('not with %o', async (worker, found) => {
    nodes(worker);
    expect(await probe()).toMatchObject({ done: false, found: expect.stringContaining(found) });
  });

  test('also with conditions of monitoring agents and vendors, which are True in a good node', async () => {
    nodes({ conditions: 'MemoryPressure=False Ready=True NetworkingReady=True StorageReady=Unknown ' });
    expect(await probe()).toMatchObject({ done: true });
  });

  test('not while tokens are left of a join whose worker was killed at its end; they are revoked', async () => {
    via.fact('secrets', 'secret/bootstrap-token-abc123\nsecret/bootstrap-token-def456');
    const before = await probe();
    expect(before).toMatchObject({ done: false, found: '2 tokens of joins that have ended are left' });
    via.answer('delete secrets', () => {
      via.fact('secrets', '');
      return '';
    });
    await verifyNodes.apply(contextAmong(hosts, cluster, 'verifyNodes', null), before);
    expect(via.log).toContain('delete secrets --selector=kubewright.dev/join ');
    expect(await probe()).toMatchObject({ done: true });
  });
});
