import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareCluster } from '../../../../src/activities/applied/compare/index.js';
import type { Comparison } from '../../../../src/activities/applied/difference.js';
import { readApplied } from '../../../../src/activities/applied/read.js';
import type { Applied } from '../../../../src/activities/applied/types.js';
import { loadCluster } from '../../../../src/cluster/load.js';
import type { Cluster, ClusterHost } from '../../../../src/cluster/types.js';
import { clusterOf } from '../../cluster-fixture.js';
import { systemdCluster } from '../../components/etcd/systemd/fixture.js';
import { contextAmong, fakeHosts } from '../fake-hosts.js';
import { livingHosts } from './living.js';

const EXAMPLES = join(import.meta.dirname, '../../../../examples/clusters');

/** What is read of a cluster that was made from a file, by a run with another one; hosts that it has more are blank. */
async function appliedOf(made: Cluster, cluster = made): Promise<Applied> {
  const hosts = new Map([...fakeHosts(cluster), ...livingHosts(made)]);
  const context = contextAmong(hosts, cluster, 'compareApplied', null);
  const { answer } = await readApplied(context);
  if (answer.is !== 'yes') throw new Error(`not read: ${answer.is === 'unknown' ? answer.why : answer.evidence}`);
  return answer.value;
}

const NOTHING: Comparison = { differences: [], unchecked: [] };

/** Every kind of setting in use, so that each can be edited. */
function rich(topology: 'stacked' | 'external' = 'stacked'): Cluster {
  const cluster = clusterOf({ controlPlanes: 3, workers: 2, etcd: topology === 'external' ? 3 : 0 });
  const [w1] = cluster.hosts.filter(({ name }) => name === 'w-1') as [ClusterHost];
  w1.labels = { disk: 'ssd', 'example.org/pool': 'a' };
  w1.taints = [{ key: 'dedicated', value: 'db', effect: 'NoSchedule' }];
  Object.assign(cluster.kubernetes, {
    certificateSANs: ['api.example.org'],
    apiServer: {
      extraArgs: [{ name: 'v', value: '2' }],
      extraVolumes: [{ name: 'a', hostPath: '/opt/a', mountPath: '/a', readOnly: false, pathType: null }],
    },
    files: [{ path: '/etc/kubernetes/a/x', content: '', env: null }],
    controllerManager: { extraArgs: [{ name: 'v', value: '3' }] },
    scheduler: { extraArgs: [{ name: 'v', value: '4' }] },
    kubelet: {
      config: {
        maxPods: 150,
        shutdownGracePeriod: '60s',
        evictionHard: { 'memory.available': '200Mi' },
        failSwapOn: false,
      },
      extraArgs: [{ name: 'v', value: '1' }],
    },
    kubeProxy: { config: { conntrack: { maxPerCore: 0 } } },
    patches: [{ name: 'corednsdeployment+json.yaml', content: '[]\n' }],
  });
  cluster.etcd.extraArgs = [{ name: 'quota-backend-bytes', value: '8589934592' }];
  return cluster;
}

describe('a file that the cluster was made from', () => {
  it.each(readdirSync(EXAMPLES).filter((name) => name.endsWith('.yaml')))('%s differs in nothing', async (name) => {
    const { cluster } = await loadCluster(join(EXAMPLES, name));
    const { differences, unchecked } = compareCluster(cluster, await appliedOf(cluster));
    expect(differences).toEqual([]);
    expect(unchecked.filter((what) => !what.endsWith('of patchesDirectory may change the flags'))).toEqual([]);
  });

  it.each(['stacked', 'external'] as const)('with everything set, %s, differs in nothing', async (topology) => {
    const cluster = rich(topology);
    expect(compareCluster(cluster, await appliedOf(cluster))).toEqual(NOTHING);
  });

  it('differs in nothing, whatever it says', async () => {
    await fc.assert(
      fc.asyncProperty(clusters, async (cluster) => {
        expect(compareCluster(cluster, await appliedOf(cluster))).toEqual(NOTHING);
      }),
      { numRuns: 60 },
    );
  });
});

type Edit = (cluster: Cluster) => void;
const host = (cluster: Cluster, name: string): ClusterHost =>
  cluster.hosts.find((one) => one.name === name) as ClusterHost;

/** One edit of the file each, the key that has to be named, and what becomes of it. */
const EDITS: [key: string, verdict: string, edit: Edit][] = [
  ['metadata.name', 'never', (cluster) => Object.assign(cluster, { name: 'other' })],
  ['spec.endpoint.vip', 'refused', ({ endpoint }) => Object.assign(endpoint, { vip: '10.88.0.101' })],
  ['spec.endpoint.port', 'refused', ({ endpoint }) => Object.assign(endpoint, { port: 9443 })],
  ['spec.kubernetes.version', 'refused', ({ kubernetes }) => Object.assign(kubernetes, { version: '1.34.4' })],
  ['spec.kubernetes.podSubnet', 'never', ({ kubernetes }) => Object.assign(kubernetes, { podSubnet: '10.245.0.0/16' })],
  [
    'spec.kubernetes.serviceSubnet',
    'never',
    ({ kubernetes }) => Object.assign(kubernetes, { serviceSubnet: '10.97.0.0/16' }),
  ],
  ['spec.kubernetes.dnsDomain', 'never', ({ kubernetes }) => Object.assign(kubernetes, { dnsDomain: 'k8s.example' })],
  [
    'spec.kubernetes.certificateSANs',
    'refused',
    ({ kubernetes }) => kubernetes.certificateSANs.push('api2.example.org'),
  ],
  ['spec.kubernetes.certificateSANs', 'stays', ({ kubernetes }) => kubernetes.certificateSANs.pop()],
  ['spec.kubernetes.apiServer.extraArgs.v', 'refused', ({ kubernetes }) => kubernetes.apiServer.extraArgs.pop()],
  [
    'spec.kubernetes.apiServer.extraArgs.profiling',
    'refused',
    ({ kubernetes }) => kubernetes.apiServer.extraArgs.push({ name: 'profiling', value: 'false' }),
  ],
  [
    'spec.kubernetes.controllerManager.extraArgs.v',
    'refused',
    ({ kubernetes }) => Object.assign(kubernetes.controllerManager.extraArgs[0] ?? {}, { value: '5' }),
  ],
  ['spec.kubernetes.apiServer.extraVolumes', 'refused', ({ kubernetes }) => kubernetes.apiServer.extraVolumes?.pop()],
  ['spec.kubernetes.apiServer.extraVolumes', 'refused', ({ kubernetes }) => kubernetes.files?.pop()],
  ['spec.kubernetes.scheduler.extraArgs.v', 'refused', ({ kubernetes }) => kubernetes.scheduler.extraArgs.pop()],
  [
    'spec.kubernetes.kubelet.config.maxPods',
    'refused',
    ({ kubernetes }) => Object.assign(kubernetes.kubelet.config, { maxPods: 200 }),
  ],
  ['spec.kubernetes.kubelet.config.maxPods', 'refused', ({ kubernetes }) => delete kubernetes.kubelet.config.maxPods],
  [
    'spec.kubernetes.kubelet.config.failSwapOn',
    'refused',
    ({ kubernetes }) => delete kubernetes.kubelet.config.failSwapOn,
  ],
  [
    'spec.kubernetes.kubelet.config.evictionHard["memory.available"]',
    'refused',
    ({ kubernetes }) => Object.assign(kubernetes.kubelet.config, { evictionHard: { 'memory.available': '300Mi' } }),
  ],
  [
    'spec.kubernetes.kubeProxy.config.mode',
    'refused',
    ({ kubernetes }) => Object.assign(kubernetes.kubeProxy.config, { mode: 'ipvs' }),
  ],
  [
    'spec.kubernetes.kubeProxy.config.conntrack.maxPerCore',
    'refused',
    ({ kubernetes }) => delete kubernetes.kubeProxy.config.conntrack,
  ],
  ['spec.kubernetes.kubelet.extraArgs.v', 'refused', ({ kubernetes }) => kubernetes.kubelet.extraArgs.pop()],
  [
    'spec.kubernetes.kubelet.extraArgs.node-labels',
    'refused',
    ({ kubernetes }) => kubernetes.kubelet.extraArgs.push({ name: 'node-labels', value: 'a=b' }),
  ],
  ['spec.kubernetes.patchesDirectory', 'refused', ({ kubernetes }) => kubernetes.patches.pop()],
  [
    'spec.kubernetes.patchesDirectory',
    'refused',
    ({ kubernetes }) => kubernetes.patches.push({ name: 'corednsdeployment1.yaml', content: 'a: b\n' }),
  ],
  ['spec.etcd.extraArgs.quota-backend-bytes', 'refused', ({ etcd }) => etcd.extraArgs.pop()],
  ['spec.network.backend', 'refused', ({ network }) => Object.assign(network, { backend: { Type: 'host-gw' } })],
  ['spec.hosts[w-1].labels.disk', 'install', (cluster) => Object.assign(host(cluster, 'w-1').labels, { disk: 'hdd' })],
  ['spec.hosts[w-1].labels.disk', 'install', (cluster) => delete host(cluster, 'w-1').labels.disk],
  ['spec.hosts[w-2].labels.zone', 'install', (cluster) => Object.assign(host(cluster, 'w-2').labels, { zone: 'b' })],
  ['spec.hosts[w-1].taints', 'install', (cluster) => Object.assign(host(cluster, 'w-1'), { taints: null })],
  ['spec.hosts[cp-2].taints', 'install', (cluster) => Object.assign(host(cluster, 'cp-2'), { taints: [] })],
  ['spec.hosts[w-1].role', 'refused', (cluster) => Object.assign(host(cluster, 'w-1'), { role: 'control-plane' })],
  ['spec.hosts[cp-3].role', 'refused', (cluster) => Object.assign(host(cluster, 'cp-3'), { role: 'worker' })],
  ['spec.hosts[w-2].address', 'never', (cluster) => Object.assign(host(cluster, 'w-2'), { address: '10.88.0.99' })],
  ['spec.hosts[w-9].name', 'never', (cluster) => Object.assign(host(cluster, 'w-2'), { name: 'w-9' })],
  [
    'spec.hosts[cp-3].role',
    'refused',
    (cluster) => Object.assign(cluster, { hosts: cluster.hosts.filter(({ name }) => name !== 'cp-3') }),
  ],
  [
    'spec.hosts[w-2]',
    'stays',
    (cluster) => Object.assign(cluster, { hosts: cluster.hosts.filter(({ name }) => name !== 'w-2') }),
  ],
  [
    'spec.hosts[w-3]',
    'install',
    (cluster) => cluster.hosts.push({ ...host(cluster, 'w-2'), name: 'w-3', address: '10.88.0.77' }),
  ],
];

/** Edits that are of a kind with others: a renamed host is a new one and a former one. */
const BESIDES: Record<string, string[]> = { 'spec.hosts[w-9].name': ['spec.hosts[w-2]'] };

describe('an edited file', () => {
  it('with another pod network is refused by what the old one has left there, and by that alone', async () => {
    const made = rich();
    const file: Cluster = { ...rich(), network: { plugin: 'none' } };
    expect(compareCluster(file, await appliedOf(made, file))).toMatchObject({
      differences: [{ key: 'spec.network.plugin', applied: 'flannel', wanted: 'none', verdict: 'never' }],
    });
  });

  it('the address of an external load balancer, by its own key', async () => {
    const external = (address: string): Cluster => ({
      ...rich(),
      endpoint: { address, port: 6443 },
      loadBalancer: { type: 'external' },
    });
    const [before, after] = [external('api.example.org'), external('192.0.2.7')];
    const { differences } = compareCluster(after, await appliedOf(before, after));
    expect(differences.map(({ key, verdict, applied: was, wanted }) => [key, verdict, was, wanted])).toEqual([
      ['spec.endpoint.address', 'refused', 'api.example.org', '192.0.2.7'],
    ]);
    expect(compareCluster(before, await appliedOf(before))).toEqual(NOTHING);
  });

  it.each(EDITS)('%s: %s', async (key, verdict, edit) => {
    const before = rich();
    const after = structuredClone(before);
    edit(after);
    const { differences, unchecked } = compareCluster(after, await appliedOf(before, after));
    const others = BESIDES[key] ?? [];
    expect(differences.filter((one) => !others.includes(one.key)).map((one) => [one.key, one.verdict])).toEqual([
      [key, verdict],
    ]);
    expect(unchecked).toEqual([]);
    for (const { applied: was, wanted } of differences) expect(was).not.toBe(wanted);
  });

  it('is told whole: every edit at once is every key at once', async () => {
    const before = rich();
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(fc.constantFrom(...DISTINCT), { minLength: 2 }), async (edits) => {
        const after = structuredClone(before);
        for (const [, , edit] of edits) edit(after);
        const found = compareCluster(after, await appliedOf(before, after)).differences.map(({ key }) => key);
        expect(found.sort()).toEqual(edits.map(([key]) => key).sort());
      }),
      { numRuns: 40 },
    );
  });

  it.each([
    [
      'a topology',
      'spec.etcd.topology',
      'never',
      (cluster: Cluster) => Object.assign(cluster.etcd, { topology: 'stacked' }),
    ],
    [
      'a member more',
      'spec.hosts[etcd-4].role',
      'refused',
      (cluster: Cluster) => cluster.hosts.push({ ...host(cluster, 'etcd-1'), name: 'etcd-4', address: '10.88.0.34' }),
    ],
    [
      'a member less',
      'spec.hosts[].role',
      'refused',
      (cluster: Cluster) => Object.assign(cluster, { hosts: cluster.hosts.filter(({ name }) => name !== 'etcd-3') }),
    ],
    [
      'a flag of etcd',
      'spec.etcd.extraArgs.v',
      'refused',
      (cluster: Cluster) => cluster.etcd.extraArgs.push({ name: 'v', value: '1' }),
    ],
  ])('of external etcd: %s', async (_, key, verdict, edit) => {
    const before = rich('external');
    const after = structuredClone(before);
    edit(after);
    expect(
      compareCluster(after, await appliedOf(before, after)).differences.map((one) => [one.key, one.verdict]),
    ).toEqual([[key, verdict]]);
  });

  const bySystemd = (etcd = 0): Cluster =>
    Object.assign(rich(etcd > 0 ? 'external' : 'stacked'), { etcd: systemdCluster({ etcd }).etcd });
  const byPods = (topology: 'stacked' | 'external') => (cluster: Cluster) =>
    Object.assign(cluster, { etcd: { topology, extraArgs: [] } });

  it.each<[string, Cluster, string | undefined, (cluster: Cluster) => void]>([
    ['nothing, on control planes', bySystemd(), undefined, () => undefined],
    ['nothing, on hosts of their own', bySystemd(3), undefined, () => undefined],
    ['the runner on control planes', bySystemd(), 'spec.etcd.runner', byPods('stacked')],
    ['the runner on hosts of their own', bySystemd(3), 'spec.etcd.runner', byPods('external')],
    [
      'a flag on control planes',
      bySystemd(),
      'spec.etcd.extraArgs.v',
      ({ etcd }) => etcd.extraArgs.push({ name: 'v', value: '1' }),
    ],
    [
      'a flag on hosts of their own',
      bySystemd(3),
      'spec.etcd.extraArgs.v',
      ({ etcd }) => etcd.extraArgs.push({ name: 'v', value: '1' }),
    ],
    [
      'how long certificates are made for',
      bySystemd(),
      undefined,
      ({ etcd }) => Object.assign(etcd, { certificateValidityDays: 30, certificateSANs: ['etcd.example.org'] }),
    ],
    [
      'the runner of a cluster that kubeadm made',
      Object.assign(rich(), { etcd: { topology: 'stacked', extraArgs: [] } }),
      'spec.etcd.runner',
      (cluster) => Object.assign(cluster, { etcd: bySystemd().etcd }),
    ],
  ])('of etcd that systemd runs: %s', async (_, before, key, edit) => {
    const after = structuredClone(before);
    edit(after);
    const { differences, unchecked } = compareCluster(after, await appliedOf(before, after));
    expect(differences.map((one) => one.key)).toEqual(key === undefined ? [] : [key]);
    if (key === undefined) expect(unchecked.filter((what) => what.includes('etcd'))).toEqual([]);
  });

  it('names no hosts for what differs in the whole cluster, although etcd hosts have a file of their own', async () => {
    const before = rich('external');
    const after = structuredClone(before);
    Object.assign(after.kubernetes.kubelet.config, { maxPods: 200 });
    const { differences } = compareCluster(after, await appliedOf(before, after));
    expect(differences).toMatchObject([{ key: 'spec.kubernetes.kubelet.config.maxPods', hosts: [] }]);
  });
});

describe('the taint of a control plane', () => {
  it('taken off comes back where the file says nothing of it any more, and install does both', async () => {
    const closed = rich();
    const open = rich();
    host(open, 'cp-2').taints = [];
    const found = async (before: Cluster, after: Cluster) =>
      compareCluster(after, await appliedOf(before, after)).differences.map((one) => [
        one.key,
        one.verdict,
        one.wanted,
      ]);
    const taint = 'node-role.kubernetes.io/control-plane:NoSchedule';
    expect(await found(closed, open)).toEqual([['spec.hosts[cp-2].taints', 'install', `no ${taint}`]]);
    expect(await found(open, closed)).toEqual([['spec.hosts[cp-2].taints', 'install', taint]]);
    expect(await found(open, open)).toEqual([]);
  });
});

describe('the mode of kube-proxy', () => {
  const withMode = (kubeProxy: Cluster['kubernetes']['kubeProxy']): Cluster => {
    const cluster = rich();
    return { ...cluster, kubernetes: { ...cluster.kubernetes, kubeProxy } };
  };
  const found = async (before: Cluster, after: Cluster) =>
    compareCluster(after, await appliedOf(before, after)).differences.map((one) => [
      one.key,
      one.applied,
      one.wanted,
      one.verdict,
    ]);

  it('written out as what it is anyway changes nothing', async () => {
    expect(await found(withMode({ config: {} }), withMode({ mode: 'iptables', config: {} }))).toEqual([]);
    const nftables = withMode({ config: { mode: 'nftables' } });
    expect(await found(nftables, withMode({ mode: 'nftables', config: {} }))).toEqual([]);
  });

  it('that is the default is taken out without a change', async () => {
    expect(await found(withMode({ mode: 'iptables', config: {} }), withMode({ config: {} }))).toEqual([]);
  });

  it('taken out, or changed, is told at the key that the file has it at', async () => {
    const nftables = withMode({ mode: 'nftables', config: {} });
    expect(await found(nftables, withMode({ config: {} }))).toEqual([
      ['spec.kubernetes.kubeProxy.config.mode', 'nftables', 'nothing', 'refused'],
    ]);
    expect(await found(nftables, withMode({ mode: 'iptables', config: {} }))).toEqual([
      ['spec.kubernetes.kubeProxy.mode', 'nftables', 'iptables', 'refused'],
    ]);
  });

  it('none is told as that, and what kube-proxy would be told is not', async () => {
    const none = withMode({ mode: 'none', config: {} });
    const iptables = withMode({ config: { conntrack: { min: 0 } } });
    expect(await found(none, none)).toEqual([]);
    expect(await found(iptables, none)).toEqual([['spec.kubernetes.kubeProxy.mode', 'iptables', 'none', 'refused']]);
    expect(await found(none, iptables)).toEqual([['spec.kubernetes.kubeProxy.mode', 'none', 'iptables', 'refused']]);
    expect(compareCluster(none, await appliedOf(none)).unchecked).toEqual([]);
  });

  it('ipvs that has no strictARP yet is told as that', async () => {
    const before = withMode({ config: { mode: 'ipvs' } });
    expect(await found(before, withMode({ mode: 'ipvs', config: {} }))).toEqual([
      ['spec.kubernetes.kubeProxy.config.ipvs.strictARP', 'nothing', 'true', 'refused'],
    ]);
  });
});

describe('what could not be compared on a host', () => {
  const REASONS: [what: string, expected: RegExp, change: Edit | undefined, fact: string | undefined][] = [
    ...(['apiServer', 'controllerManager', 'scheduler'] as const).map((section, index): (typeof REASONS)[number] => {
      const component = ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler'][index];
      return [
        `flags of ${component} that a patch may change`,
        new RegExp(
          `^spec.kubernetes.${section}.extraArgs on cp-1, cp-2 and cp-3: ${component}0.yaml of patchesDirectory may change the flags$`,
        ),
        ({ kubernetes }) => kubernetes.patches.push({ name: `${component}0.yaml`, content: 'a: b\n' }),
        undefined,
      ];
    }),
    [
      'flags of stacked etcd that a patch may change',
      /^spec.etcd.extraArgs on cp-1, cp-2 and cp-3: etcd\+json.yaml of patchesDirectory may change the flags$/,
      ({ kubernetes }) => kubernetes.patches.push({ name: 'etcd+json.yaml', content: '[]\n' }),
      undefined,
    ],
    [
      'settings of the kubelet that a patch may change',
      /^spec.kubernetes.kubelet.config on cp-1, cp-2, cp-3, w-1 and w-2: kubeletconfiguration.yaml of patchesDirectory may change the settings$/,
      ({ kubernetes }) => kubernetes.patches.push({ name: 'kubeletconfiguration.yaml', content: 'a: b\n' }),
      undefined,
    ],
    ...['manifest:kube-apiserver', 'manifest:etcd', 'certificate', 'flags', 'config', 'patches'].map(
      (fact): (typeof REASONS)[number] => [
        `what is read from ${fact}`,
        /^spec\.\S+ on cp-2: .*cannot be read/,
        undefined,
        fact,
      ],
    ),
    ['a host whose record cannot be read', /^what is on cp-2: the ownership record cannot be read/, undefined, 'owner'],
  ];

  it.each(REASONS)('is named: %s', async (_, expected, change, fact) => {
    const cluster = rich();
    change?.(cluster);
    const hosts = livingHosts(cluster);
    if (fact !== undefined) hosts.get('cp-2')?.cannotTell(fact);
    const { answer } = await readApplied(contextAmong(hosts, cluster, 'compareApplied', null));
    if (answer.is !== 'yes') throw new Error('not read');
    const { differences, unchecked } = compareCluster(cluster, answer.value);
    expect(differences).toEqual([]);
    expect(unchecked).toEqual([expect.stringMatching(expected)]);
  });

  it('is named where a file is not there, and not where the file of the cluster does not ask for it', async () => {
    const unchecked = async (cluster: Cluster): Promise<string[]> => {
      const hosts = livingHosts(cluster);
      hosts.get('cp-2')?.facts.delete('manifest:kube-scheduler');
      const { answer } = await readApplied(contextAmong(hosts, cluster, 'compareApplied', null));
      return answer.is === 'yes' ? compareCluster(cluster, answer.value).unchecked : ['not read'];
    };
    const cluster = rich();
    expect(await unchecked(cluster)).toEqual([
      'spec.kubernetes.scheduler.extraArgs on cp-2: the manifest of kube-scheduler is not there, or not to be understood',
    ]);
    cluster.kubernetes.scheduler.extraArgs = [];
    expect(await unchecked(cluster)).toEqual([]);
  });

  it('is not the flag of a member of stacked etcd that differs from what kubeadm keeps', async () => {
    const cluster = rich();
    const hosts = livingHosts(cluster);
    hosts.get('cp-3')?.fact('manifest:etcd', 'spec: {containers: [{command: [etcd]}]}');
    const { answer } = await readApplied(contextAmong(hosts, cluster, 'compareApplied', null));
    if (answer.is !== 'yes') throw new Error('not read');
    expect(compareCluster(cluster, answer.value)).toMatchObject({
      differences: [{ key: 'spec.etcd.extraArgs.quota-backend-bytes', hosts: ['cp-3'] }],
      unchecked: [],
    });
  });
});

/** Edits that do not touch what another one touches. */
const DISTINCT = EDITS.filter(
  ([key], index) =>
    EDITS.findIndex(([other]) => other === key) === index &&
    !/(profiling|node-labels|\.role|\.name|\.address|spec\.hosts\[w-2\])$/.test(key),
);

const word = fc.stringMatching(/^[a-z][a-z0-9-]{0,8}$/);
const value = fc.oneof(word, fc.integer({ min: 0, max: 99 }).map(String));
const args = fc.array(fc.record({ name: word, value }), { maxLength: 3 });
const settings = fc.dictionary(
  word,
  fc.oneof(
    value,
    fc.boolean(),
    fc.integer(),
    fc.constant('60s'),
    fc.array(word, { maxLength: 2 }),
    fc.dictionary(word, value, { maxKeys: 2 }),
  ),
  { maxKeys: 4 },
);
const labels = fc.dictionary(word, word, { maxKeys: 3 });
const taint = fc.record({
  key: word,
  value: fc.oneof(word, fc.constant('')),
  effect: fc.constantFrom('NoSchedule' as const, 'NoExecute' as const),
});

/** Clusters that the loader would take, as far as the comparison looks at them. */
const clusters: fc.Arbitrary<Cluster> = fc
  .record({
    controlPlanes: fc.constantFrom(1, 3),
    workers: fc.integer({ min: 0, max: 3 }),
    etcd: fc.constantFrom(0, 3),
    sans: fc.uniqueArray(word, { maxLength: 3 }),
    args: fc.tuple(args, args, args, args, args),
    kubelet: settings,
    kubeProxy: settings,
    labels: fc.array(labels, { minLength: 9, maxLength: 9 }),
    taints: fc.array(
      fc.option(fc.uniqueArray(taint, { maxLength: 2, selector: ({ key, effect }) => `${key}:${effect}` })),
      { minLength: 9, maxLength: 9 },
    ),
    patches: fc.uniqueArray(fc.record({ name: word.map((name) => `corednsdeployment${name}.yaml`), content: word }), {
      maxLength: 2,
      selector: ({ name }) => name,
    }),
  })
  .map((drawn) => {
    const cluster = clusterOf(drawn);
    const [apiServer, controllerManager, scheduler, kubelet, etcd] = drawn.args;
    Object.assign(cluster.kubernetes, {
      certificateSANs: drawn.sans,
      apiServer: { extraArgs: apiServer },
      controllerManager: { extraArgs: controllerManager },
      scheduler: { extraArgs: scheduler },
      kubelet: { config: drawn.kubelet, extraArgs: kubelet },
      kubeProxy: { config: drawn.kubeProxy },
      patches: drawn.patches,
    });
    cluster.etcd.extraArgs = etcd;
    for (const [index, one] of cluster.hosts.entries()) {
      one.labels = drawn.labels[index] ?? {};
      one.taints = drawn.taints[index] ?? null;
    }
    return cluster;
  });
