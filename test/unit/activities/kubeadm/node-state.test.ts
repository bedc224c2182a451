import { beforeEach, describe, expect, test } from 'vitest';
import { joinControlPlane } from '../../../../src/activities/kubeadm/joinControlPlane.js';
import { joinWorker } from '../../../../src/activities/kubeadm/joinWorker.js';
import type { Probe } from '../../../../src/activities/types.js';
import { clusterOf } from '../../cluster-fixture.js';
import { systemdCluster } from '../../components/etcd/systemd/fixture.js';
import { contextAmong, type FakeHost, fakeHosts, hostIn } from '../fake-hosts.js';
import { nodeText } from './fixtures.js';

const cluster = clusterOf({ controlPlanes: 3, workers: 1 });
const COMPONENTS = ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'etcd'];
const ROLE = JSON.stringify({
  'node-role.kubernetes.io/control-plane': '',
  'node.kubernetes.io/exclude-from-external-load-balancers': '',
});
/** In place of a fact's text: its command fails and says nothing. */
const UNANSWERED = 'unanswered';
const DIGEST = 'ab'.repeat(32);
const voter = 'b2, started, cp-2, https://10.88.0.12:2380, https://10.88.0.12:2379, false';

let hosts: Map<string, FakeHost>;

beforeEach(() => {
  hosts = fakeHosts(cluster);
});

/** What every node says that is a whole member. */
function common(host: FakeHost, name: string): FakeHost {
  const owner = { cluster: 'demo', host: name, address: host.remote.address, endpoint: '10.88.0.100:8443' };
  return host
    .fact('traces', '')
    .fact('kubelet', 'active')
    .fact('ca', DIGEST)
    .fact('owner', JSON.stringify({ ...owner, caFingerprint: `sha256:${DIGEST}` }));
}

describe('a control plane has joined', () => {
  let host: FakeHost;
  const probe = (): Promise<Probe> => joinControlPlane.probe(contextAmong(hosts, cluster, 'joinControlPlane', 'cp-2'));

  beforeEach(() => {
    host = common(hostIn(hosts, 'cp-2'), 'cp-2')
      .fact('ready', 'ok')
      .fact('version', '{"gitVersion": "v1.34.3"}')
      .fact('members', voter)
      .fact('node', nodeText(ROLE, '', '10.88.0.12'));
    for (const name of COMPONENTS) {
      host
        .fact(`manifest:${name}`, `spec: {containers: [{command: [${name}, --v=1]}]}`)
        .fact(`process:${name}`, `${name}\n--v=1`);
    }
  });

  test('when its components run with their manifests, its API server is ready and its etcd member votes', async () => {
    expect(await probe()).toMatchObject({ done: true, changes: [] });
  });

  test('without a pod of etcd where systemd runs its member, which is looked after by a step of its own', async () => {
    for (const fact of ['manifest:etcd', 'process:etcd', 'members']) host.facts.delete(fact);
    expect((await probe()).found).toMatch(/etcd has no manifest/);
    const apart = { ...cluster, etcd: systemdCluster().etcd };
    expect(await joinControlPlane.probe(contextAmong(hosts, apart, 'joinControlPlane', 'cp-2'))).toMatchObject({
      done: true,
    });
  });

  test("when another pod's etcd, of a database or of a virtual cluster, is found before its own", async () => {
    host.fact('process:etcd', 'etcd\n--of-a-database\n\netcd\n--v=1');
    expect(await probe()).toMatchObject({ done: true });
  });

  test('not when it has become a worker: a kubelet, a node that is Ready, and nothing of a control plane', async () => {
    for (const name of COMPONENTS) {
      host.facts.delete(`manifest:${name}`);
      host.facts.delete(`process:${name}`);
    }
    for (const name of ['ready', 'version', 'members']) host.facts.delete(name);
    const { done, found } = await probe();
    expect(done).toBe(false);
    expect(found).toMatch(/kube-apiserver has no manifest.*etcd has no manifest/);
  });

  test.each<[string, string, string | undefined, string]>([
    ['there are files and no process', 'process:kube-apiserver', '', 'kube-apiserver does not run'],
    ['its API server is not ready', 'ready', undefined, 'its API server is not ready'],
    ['its API server is an older one', 'version', '{"gitVersion": "v1.33.0"}', 'its API server is v1.33.0'],
    ['its API server does not tell its version', 'version', UNANSWERED, 'it cannot be told which version'],
    ['its etcd member is a learner', 'members', voter.replace('false', 'true'), 'its etcd member is no voter'],
    ['its etcd member was put out', 'members', voter.replaceAll('.12', '.99'), 'its etcd member is no voter'],
    ['the cluster has no node of it', 'node', undefined, 'the cluster does not have it as a node'],
    [
      'nobody can tell whether it is a node',
      'node',
      UNANSWERED,
      'it cannot be told whether the cluster has it as a node',
    ],
    ['its etcd member does not answer', 'members', UNANSWERED, 'its etcd member does not tell the members'],
    [
      'another etcd runs beside none of its own',
      'process:etcd',
      'etcd\n--of-a-database',
      'etcd runs with other arguments',
    ],
    ['the kubelet has ended', 'kubelet', 'failed', 'the kubelet does not run'],
    [
      'the node took the virtual IP for its address',
      'node',
      nodeText(ROLE, '', '10.88.0.100'),
      'its node has the address 10.88.0.100, not 10.88.0.12',
    ],
  ])('not when %s', async (_, fact, text, fault) => {
    if (text === undefined) host.facts.delete(fact);
    else if (text === UNANSWERED) host.cannotTell(fact);
    else host.fact(fact, text);
    const { done, found, unasked } = await probe();
    expect(done).toBe(false);
    expect(found).toContain(fault);
    // Only what nobody tells is not known; all else is wrong.
    expect(unasked !== undefined).toBe(fault.startsWith('it cannot be told whether the cluster has it'));
  });

  test('not known only where nothing is known to be wrong', async () => {
    host.cannotTell('node');
    host.fact('kubelet', 'failed');
    expect((await probe()).unasked).toBeUndefined();
  });

  test('not before its node has the role: that is set, and nothing is joined anew', async () => {
    host.fact('node', nodeText('{}', '', '10.88.0.12'));
    const { done, changes } = await probe();
    expect(done).toBe(false);
    expect(changes).toEqual([
      expect.stringMatching(/^kubectl label node cp-2 .*node-role\.kubernetes\.io\/control-plane=/),
      expect.stringMatching(/^kubectl taint node cp-2 /),
    ]);
  });
});

describe('a worker has joined', () => {
  const node = JSON.stringify({
    kind: 'Node',
    metadata: { uid: 'u-1' },
    spec: {},
    status: {
      addresses: [{ type: 'InternalIP', address: '10.88.0.21' }],
      nodeInfo: { kubeletVersion: 'v1.34.3' },
    },
  });
  let host: FakeHost;
  const probe = (): Promise<Probe> => joinWorker.probe(contextAmong(hosts, cluster, 'joinWorker', 'w-1'));

  beforeEach(() => {
    host = common(hostIn(hosts, 'w-1'), 'w-1')
      .fact('healthz', '')
      .fact('server', 'https://10.88.0.100:8443')
      .fact('node', node);
  });

  test.each([
    [{ healthzPort: 10348 }, '127.0.0.1/10348'],
    [{ healthzPort: 10348, healthzBindAddress: '10.88.0.21' }, '10.88.0.21/10348'],
    [{}, '127.0.0.1/10248'],
  ])('when its kubelet is healthy where its settings %j say', async (config, place) => {
    const moved = { ...cluster, kubernetes: { ...cluster.kubernetes, kubelet: { config, extraArgs: [] } } };
    expect(await joinWorker.probe(contextAmong(hosts, moved, 'joinWorker', 'w-1'))).toMatchObject({ done: true });
    expect(host.log).toContain(`/dev/tcp/${place}`);
  });

  test('when its kubelet is not to tell of its health at all', async () => {
    const config = { healthzPort: 0 };
    const silent = { ...cluster, kubernetes: { ...cluster.kubernetes, kubelet: { config, extraArgs: [] } } };
    host.facts.delete('healthz');
    expect(await joinWorker.probe(contextAmong(hosts, silent, 'joinWorker', 'w-1'))).toMatchObject({ done: true });
  });

  test('when its kubelet is healthy and the cluster, asked through the virtual IP, has its node', async () => {
    expect(await probe()).toMatchObject({ done: true });
  });

  test.each<[string, string, string | undefined, string]>([
    ['its kubelet is not healthy', 'healthz', undefined, 'the kubelet is not healthy'],
    [
      'its kubelet talks to one control plane alone',
      'server',
      'https://10.88.0.11:6443',
      'the kubelet does not talk to https://10.88.0.100:8443',
    ],
    ['the cluster has no node of it', 'node', undefined, 'the cluster does not have it as a node'],
  ])('not when %s', async (_, fact, text, fault) => {
    if (text === undefined) host.facts.delete(fact);
    else if (text === UNANSWERED) host.cannotTell(fact);
    else host.fact(fact, text);
    const { done, found } = await probe();
    expect(done).toBe(false);
    expect(found).toContain(fault);
  });
});
