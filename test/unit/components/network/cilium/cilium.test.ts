import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { portsOf } from '../../../../../src/activities/prepare/checks/ports.js';
import type { Cluster } from '../../../../../src/cluster/types.js';
import type { KubeProxyMode } from '../../../../../src/components/kube-proxy/mode.js';
import { cilium } from '../../../../../src/components/network/cilium/plan.js';
import { helmScript } from '../../../../../src/components/network/cilium/render/helm.js';
import { ciliumValues } from '../../../../../src/components/network/cilium/render/values.js';
import { schema } from '../../../../../src/components/network/cilium/schema.js';
import { type CiliumEncapsulation, defaultMtu } from '../../../../../src/components/network/cilium/settings.js';
import { checkRouting, work } from '../../../../../src/components/network/cilium/work.js';
import { planInstall } from '../../../../../src/plan/install.js';
import { renderInitConfig } from '../../../../../src/render/kubeadm.js';
import { kernelFeaturesFor, renderModules } from '../../../../../src/render/modules.js';
import { BASE, brief, parse as parseFile, problemsOf } from '../../../cluster/helpers.js';
import { clusterOf } from '../../../cluster-fixture.js';

interface Changes {
  directors?: number;
  encapsulation?: CiliumEncapsulation;
  mode?: KubeProxyMode;
  mtu?: number;
  workers?: number;
}

function clusterWith({
  encapsulation = 'vxlan',
  mode,
  mtu = defaultMtu(encapsulation),
  workers = 1,
  directors = 0,
}: Changes = {}): Cluster {
  const cluster = clusterOf(
    { controlPlanes: 1, workers, etcd: 3, directors },
    { network: { plugin: 'cilium', encapsulation, mtu } },
  );
  const kubeProxy = mode === undefined ? { config: {} } : { mode, config: {} };
  return { ...cluster, kubernetes: { ...cluster.kubernetes, kubeProxy } };
}

const file = (network: string, kubernetes = 'version: 1.36.3') =>
  `${BASE}  kubernetes: { ${kubernetes} }\n  network: ${network}\n`;

describe("values of Cilium's chart", () => {
  it('are those of the file, and nothing is left to be found out', () => {
    expect(ciliumValues(clusterWith())).toEqual({
      kubeProxyReplacement: 'false',
      k8sServiceHost: '10.88.0.100',
      k8sServicePort: '8443',
      k8s: { requireIPv4PodCIDR: true },
      ipam: { mode: 'kubernetes' },
      routingMode: 'tunnel',
      tunnelProtocol: 'vxlan',
      ipv4NativeRoutingCIDR: '10.244.0.0/16',
      MTU: 1500,
      cni: { exclusive: false, chainingMode: 'portmap' },
      rollOutCiliumPods: true,
      operator: { replicas: 2, rollOutPods: true, image: { useDigest: false } },
      image: { useDigest: false },
      envoy: { image: { useDigest: false } },
      hubble: { enabled: false },
    });
  });

  it('carry Services, and answer for them as kube-proxy does, where there is no kube-proxy', () => {
    const without = ciliumValues(clusterWith({ mode: 'none' }));
    expect(without).toMatchObject({
      kubeProxyReplacement: 'true',
      kubeProxyReplacementHealthzBindAddr: '0.0.0.0:10256',
    });
    // Ports of pods on their hosts are its own then.
    expect(without.cni).toEqual({ exclusive: false });
    expect(ciliumValues(clusterWith({ mode: 'iptables' }))).toMatchObject({ kubeProxyReplacement: 'false' });
  });

  it.each<[CiliumEncapsulation, number, object]>([
    ['vxlan', 9000, { routingMode: 'tunnel', tunnelProtocol: 'vxlan' }],
    ['geneve', 9000, { routingMode: 'tunnel', tunnelProtocol: 'geneve' }],
    ['none', 8950, { routingMode: 'native', autoDirectNodeRoutes: true, directRoutingSkipUnreachable: true }],
  ])('with %s name the MTU between the hosts for packets of 8950 bytes: %s', (encapsulation, mtu, routing) => {
    expect(ciliumValues(clusterWith({ encapsulation, mtu: 8950 }))).toMatchObject({ MTU: mtu, ...routing });
  });

  it('ask for no second operator where there is one node', () => {
    expect(ciliumValues(clusterWith({ workers: 0 })).operator).toMatchObject({ replicas: 1 });
  });

  it('lead agents to the API by the name that an external load balancer has', () => {
    const endpoint = { address: 'api.example.com', port: 443 };
    const cluster = { ...clusterWith(), endpoint, loadBalancer: { type: 'external' as const } };
    expect(ciliumValues(cluster)).toMatchObject({ k8sServiceHost: 'api.example.com', k8sServicePort: '443' });
  });
});

describe('the command that renders it', () => {
  it('tells helm all that it would ask a cluster for, and hands it the values on standard input', () => {
    const directory = mkdtempSync(join(tmpdir(), 'kubewright-helm-'));
    const helm = join(directory, 'helm');
    writeFileSync(helm, '#!/bin/bash\nprintf \'%s\\n\' "$@"\ncat\n');
    chmodSync(helm, 0o755);
    const script = helmScript({ helm, chart: '/opt/a chart.tgz', kubernetesVersion: '1.36.3' });
    const said = execFileSync('bash', ['-c', script], { input: '{"MTU":1500}', encoding: 'utf8' });
    expect(said.split('\n')).toEqual([
      ...['template', 'cilium', '/opt/a chart.tgz', '--namespace', 'kube-system'],
      ...['--kube-version', 'v1.36.3', '--values', '-', '{"MTU":1500}'],
    ]);
  });
});

describe('cluster.yaml with Cilium', () => {
  it('has defaults, and one word for what other pod networks have too', () => {
    expect(parseFile(file('{ plugin: cilium }')).network).toEqual({
      plugin: 'cilium',
      encapsulation: 'vxlan',
      mtu: 1450,
    });
    expect(parseFile(file('{ plugin: cilium, encapsulation: none }')).network).toMatchObject({ mtu: 1500 });
    expect(problemsOf(file('{ plugin: cilium, encapsulation: geneve, mtu: 8950 }'))).toEqual([]);
    expect(problemsOf(file('{ plugin: cilium, encapsulation: ipip }')).map(brief)).toEqual([
      '22:45 encapsulation spec.network.encapsulation',
    ]);
    expect(problemsOf(file('{ plugin: calico, encapsulation: geneve }')).map(brief)).toEqual([
      '22:45 encapsulation spec.network.encapsulation',
    ]);
  });

  it.each(['1.34.3', '1.35.4', '1.36.3'])('is taken with Kubernetes %s, with kube-proxy and without', (version) => {
    expect(problemsOf(file('{ plugin: cilium }', `version: ${version}`))).toEqual([]);
    expect(problemsOf(file('{ plugin: cilium }', `version: ${version}, kubeProxy: { mode: none }`))).toEqual([]);
  });

  it.each([
    ['version: 1.37.2', '22:22 network-release spec.network.plugin'],
    ['version: 1.36.3, kubeProxy: { mode: nftables }', '21:53 network-release spec.kubernetes.kubeProxy.mode'],
    ['version: 1.34.3, kubeProxy: { mode: ipvs }', '21:53 network-release spec.kubernetes.kubeProxy.mode'],
  ])('is refused with %s, which its makers do not test', (kubernetes, problem) => {
    expect(problemsOf(file('{ plugin: cilium }', kubernetes)).map(brief)).toEqual([problem]);
  });

  it.each(['flannel', 'calico'])('%s cannot do without kube-proxy, and one of a person can', (plugin) => {
    const none = 'version: 1.36.3, kubeProxy: { mode: none }';
    const [problem, ...more] = problemsOf(file(`{ plugin: ${plugin} }`, none));
    expect(more).toEqual([]);
    expect(problem).toMatchObject({ code: 'network-release', message: expect.stringMatching(/carries no Services/) });
    expect(problemsOf(file('{ plugin: none }', none))).toEqual([]);
  });

  it('has nothing to say to a kube-proxy that is not there', () => {
    const kubernetes = 'version: 1.36.3, kubeProxy: { mode: none, config: { conntrack: { min: 0 } } }';
    expect(problemsOf(file('{ plugin: cilium }', kubernetes)).map(brief)).toEqual([
      '21:59 kube-proxy-none spec.kubernetes.kubeProxy.config',
    ]);
  });

  it('leaves the ports of its pods to them', () => {
    const kubernetes = 'version: 1.36.3, kubelet: { config: { healthzPort: 9879 } }';
    expect(problemsOf(file('{ plugin: cilium }', kubernetes)).map(brief)).toEqual([
      '21:68 port-collides spec.kubernetes.kubelet.config.healthzPort',
    ]);
    expect(problemsOf(file('{ plugin: flannel }', kubernetes))).toEqual([]);
  });
});

describe('a cluster without kube-proxy', () => {
  const cluster = clusterWith({ mode: 'none' });

  it('is begun without it, and keeps that for its upgrades', () => {
    const documents = parseAllDocuments(renderInitConfig(cluster, cluster.hosts[0] as Cluster['hosts'][number]));
    const all = documents.map((document) => document.toJS() as { kind: string; proxy?: object });
    expect(all.map(({ kind }) => kind)).toEqual(['InitConfiguration', 'ClusterConfiguration', 'KubeletConfiguration']);
    expect(all[1]?.proxy).toEqual({ disabled: true });
  });

  it('has its ports free for Cilium', () => {
    expect(portsOf('worker', cluster).get(10_256)).toBe('cilium-agent');
    expect(portsOf('worker', cluster).has(10_249)).toBe(false);
    expect(portsOf('worker', clusterWith()).get(10_256)).toBe('kube-proxy');
  });
});

describe('Cilium in a cluster', () => {
  it('is applied by its own step', () => {
    const step = planInstall(clusterWith()).find(({ phase }) => phase === 'network');
    expect(step).toMatchObject({ id: 'cluster/network', action: 'applyCilium', needs: ['cp-1/init'] });
  });

  it.each<[CiliumEncapsulation, number[]]>([
    ['vxlan', [8472]],
    ['geneve', [6081]],
    ['none', []],
  ])('with %s is asked for between all nodes, and listened for', (encapsulation, udp) => {
    const cluster = clusterWith({ encapsulation });
    const flows = cilium.flows(cluster);
    const ways = (protocol: string) =>
      flows.flatMap((flow) => (flow.protocol === protocol && 'port' in flow ? [flow.port] : []));
    expect([...new Set(ways('udp'))]).toEqual(udp);
    expect([...new Set(ways('tcp'))]).toEqual([4240]);
    expect([...new Set(flows.map(({ from }) => from))].sort()).toEqual(['cp-1', 'w-1']);
    const listened = cilium.listeners(cluster, 'worker').filter(({ protocol }) => protocol === 'udp');
    expect(listened.map(({ port, process }) => [port, process])).toEqual(udp.map((port) => [port, '']));
    expect(cilium.listeners(cluster, 'etcd')).toEqual([]);
    const warned = checkRouting(cluster).map(({ code, severity }) => [code, severity]);
    expect(warned).toEqual(encapsulation === 'none' ? [['KW339', 'warning']] : []);
  });

  it('needs eBPF and its types of the kernel, of 5.10 or newer, and loads what are modules alone', () => {
    const features = kernelFeaturesFor('worker', clusterWith({ encapsulation: 'geneve' }));
    expect(features).toContainEqual(expect.objectContaining({ evidence: 'filesystem:bpf', since: '5.10' }));
    expect(features).toContainEqual(expect.objectContaining({ evidence: '/sys/kernel/btf/vmlinux' }));
    const loaded = renderModules(features).split('\n');
    expect(loaded).toEqual(expect.arrayContaining(['geneve', 'cls_bpf', 'sch_ingress', 'xt_TPROXY']));
    expect(loaded).not.toContain('bpf');
    expect(loaded).not.toContain('btf');
    expect(loaded).not.toContain('vxlan');
  });

  it.each(['etcd', 'director'] as const)('asks nothing of hosts that are no nodes: %s', (role) => {
    const cluster = clusterWith({ workers: 0, directors: 2 });
    expect(cilium.listeners(cluster, role)).toEqual([]);
    expect(cilium.kernelFeatures(cluster, role)).toEqual([]);
    expect(work.bundled(cluster, role)).toEqual([]);
    expect(cilium.flows(cluster)).toEqual([]);
    expect(ciliumValues(cluster).operator).toMatchObject({ replicas: 1 });
    expect(checkRouting(clusterWith({ workers: 0, directors: 2, encapsulation: 'none' }))).toEqual([]);
  });

  it('has pods in a namespace that Pod Security leaves free', () => {
    expect(schema.namespaces()).toEqual(['kube-system']);
  });

  it.each(['cilium_host', 'cilium_net', 'cilium_vxlan', 'lxc_health', 'lxc0a1b2c3d4e5f'])('%s is of pods', (name) => {
    expect(cilium.makesCard(name)).toBe(true);
  });

  it.each(['eth0', 'lxcbr0', 'lxcabc'])('%s is not', (name) => expect(cilium.makesCard(name)).toBe(false));
});

describe('Cilium of a living cluster', () => {
  const read = (...lines: string[]) => work.read(lines.join('\n'));

  it('says how it was set up', () => {
    expect(read('10.244.0.0/16', 'tunnel', 'geneve')).toEqual({
      podSubnet: '10.244.0.0/16',
      settings: { encapsulation: 'geneve' },
    });
    expect(read('10.244.0.0/16', 'native', 'vxlan')?.settings).toEqual({ encapsulation: 'none' });
    expect(read('', 'tunnel', 'vxlan')).toBeUndefined();
  });

  it('is compared with the file, by its own network where that is another one than kubeadm has', () => {
    const compared = (applied: string[], podSubnet = '10.244.0.0/16') =>
      work.compare(clusterWith(), read(...applied), podSubnet).found.map(({ key }) => key);
    expect(compared(['10.244.0.0/16', 'tunnel', 'vxlan'])).toEqual([]);
    expect(compared(['10.244.0.0/16', 'native', ''])).toEqual(['spec.network.encapsulation']);
    expect(compared(['10.0.0.0/8', 'tunnel', 'vxlan'])).toEqual(['spec.kubernetes.podSubnet']);
  });

  it('is asked with one question, which the shell leaves as it is', () => {
    const script = work.question("printf '%s\\n'");
    const words = execFileSync('bash', ['-c', script], { encoding: 'utf8' }).trim().split('\n');
    expect(words.at(-1)).toBe(
      "jsonpath={.data['ipv4-native-routing-cidr']}{\"\\n\"}{.data['routing-mode']}{\"\\n\"}{.data['tunnel-protocol']}",
    );
  });
});
