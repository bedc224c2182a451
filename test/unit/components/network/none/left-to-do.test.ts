import { beforeEach, describe, expect, it } from 'vitest';
import { checkDns } from '../../../../../src/activities/check/checkDns.js';
import { checkNodes } from '../../../../../src/activities/check/checkNodes.js';
import { carryOut } from '../../../../../src/activities/step.js';
import { spreadDns } from '../../../../../src/activities/verify/spreadDns.js';
import { verifyDns } from '../../../../../src/activities/verify/verifyDns.js';
import { verifyNodes } from '../../../../../src/activities/verify/verifyNodes.js';
import type { Cluster } from '../../../../../src/cluster/types.js';
import { planInstall } from '../../../../../src/plan/install.js';
import { contextAmong, type FakeHost, fakeHosts, hostIn } from '../../../activities/fake-hosts.js';
import { clusterOf } from '../../../cluster-fixture.js';

const SIZE = { controlPlanes: 1, workers: 1 };
const cluster = clusterOf(SIZE, { network: { plugin: 'none' } });
/** As the kubelet of 1.34 to 1.37 says it. */
const NO_NETWORK =
  'container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:Network plugin returns error: cni plugin not initialized';

let hosts: Map<string, FakeHost>;
let via: FakeHost;

beforeEach(() => {
  hosts = fakeHosts(cluster);
  via = hostIn(hosts, 'cp-1').fact('initialised', '').fact('ready', 'ok').fact('secrets', '');
});

type Node = { ready: 'True' | 'False'; message: string };
const WAITS: Node = { ready: 'False', message: NO_NETWORK };
const READY: Node = { ready: 'True', message: 'kubelet is posting ready status' };

function nodes(...states: Node[]): void {
  const lines = cluster.hosts.map(({ name, address }, index) => {
    const { ready, message } = states[index] ?? WAITS;
    return [name, ready, `v${cluster.kubernetes.version}`, address, `Ready=${ready} `, message].join('\t');
  });
  via.fact('nodes', lines.join('\n'));
}

const of = (other: Cluster = cluster) => contextAmong(hosts, other, 'verifyNodes', null);

describe('a cluster whose network a person brings', () => {
  it('gets no network from the plan, and proves nodes first, for they tell whether pods can run', () => {
    const plan = planInstall(cluster);
    expect(plan.filter(({ phase }) => phase === 'network')).toEqual([]);
    expect(plan.find(({ id }) => id === 'cluster/dns-spread')?.needs).toContain('cluster/nodes');
    const flannel = planInstall(clusterOf(SIZE));
    expect(flannel.find(({ id }) => id === 'cluster/dns-spread')?.needs).not.toContain('cluster/nodes');
  });

  it('is installed while all nodes wait for it, and says what is left to do', async () => {
    nodes(WAITS, WAITS);
    const output = await carryOut(verifyNodes, of());
    expect(output).toMatchObject({
      outcome: 'unchanged',
      data: { leftToDo: expect.stringContaining('10.244.0.0/16') },
    });
    expect(output.summary).toContain('left to do: bring a pod network');
  });

  it.each([
    ['CoreDNS is not spread', spreadDns],
    ['DNS is not asked', verifyDns],
  ])('%s meanwhile, which is said', async (_, step) => {
    nodes(WAITS, WAITS);
    expect(await carryOut(step, of())).toMatchObject({
      outcome: 'unchanged',
      summary: expect.stringContaining('no pod network yet'),
    });
    expect(via.log).not.toContain('apply');
  });

  it('has to be whole once one node is Ready', async () => {
    nodes(READY, WAITS);
    expect(await verifyNodes.probe(of())).toMatchObject({ done: false, found: 'w-1 is not Ready' });
    nodes(READY, READY);
    const found = await verifyNodes.probe(of());
    expect(found).toMatchObject({ done: true, found: expect.stringContaining('2 nodes Ready') });
    expect(found.data).toBeUndefined();
    expect((await spreadDns.probe(of())).found).not.toContain('no pod network');
    expect((await verifyDns.probe(of())).done).toBe(false);
  });

  it.each([
    'PLEG is not healthy: pleg was last seen active 3m ago',
    `[${NO_NETWORK}, CSINode is not yet initialized]`,
    '',
  ])('is not done while a node lacks something else: %s', async (message) => {
    nodes(WAITS, { ready: 'False', message });
    expect(await verifyNodes.probe(of())).toMatchObject({ done: false, found: 'w-1 is not Ready' });
  });

  it('is told by the health check, which asks no pod then', async () => {
    nodes(WAITS, WAITS);
    const { findings = [] } = await checkNodes.probe(of());
    expect(findings.map(({ host, evidence }) => [host, evidence])).toEqual([
      ['cp-1', expect.stringContaining('nobody has brought the pod network yet')],
      ['w-1', expect.stringContaining('nobody has brought the pod network yet')],
    ]);
    expect((await checkDns.probe(of())).findings).toMatchObject([{ code: 'KW602' }]);
  });
});

it('a cluster with a network of its own waits for it', async () => {
  nodes(WAITS, WAITS);
  expect(await verifyNodes.probe(of(clusterOf(SIZE)))).toMatchObject({ done: false });
});
