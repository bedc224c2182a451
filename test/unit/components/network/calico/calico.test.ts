import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { Cluster } from '../../../../../src/cluster/types.js';
import { calico } from '../../../../../src/components/network/calico/plan.js';
import { manifestFile, renderCalico } from '../../../../../src/components/network/calico/render/manifest.js';
import { defaultMtu, type Encapsulation } from '../../../../../src/components/network/calico/settings.js';
import { checkEncapsulation, work } from '../../../../../src/components/network/calico/work.js';
import { planInstall } from '../../../../../src/plan/install.js';
import { BASE, brief, parse as parseFile, problemsOf } from '../../../cluster/helpers.js';
import { clusterOf } from '../../../cluster-fixture.js';

/**
 * Written for this test: Calico's real manifest has eight thousand lines and is not here. What is changed has the real one's names
 * and form (charts/calico/templates/calico-node.yaml and calico-config.yaml of projectcalico/calico); the rest stands for all others.
 */
const manifest = (backend: string) => `---
# Source: calico/templates/calico-config.yaml
kind: ConfigMap
apiVersion: v1
metadata:
  name: calico-config
  namespace: kube-system
data:
  # Configure the backend to use.
  calico_backend: "${backend}"
  veth_mtu: "0"
---
# Source: calico/templates/kdd-crds.yaml
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: { name:   ippools.crd.projectcalico.org }   # as it is
---
kind: DaemonSet
apiVersion: apps/v1
metadata: { name: calico-node, namespace: kube-system }
spec:
  template:
    spec:
      containers:
        - name: calico-node
          image: quay.io/calico/node:v3.33.1
          env:
            - name: IP
              value: "autodetect"
            - name: CALICO_IPV4POOL_IPIP
              value: "Always"
            - name: FELIX_VXLANMTU
              valueFrom: { configMapKeyRef: { name: calico-config, key: veth_mtu } }
            # - name: CALICO_IPV4POOL_CIDR
            #   value: "192.168.0.0/16"
`;

const clusterWith = (encapsulation: Encapsulation, more: Partial<Cluster> = {}, mtu = defaultMtu(encapsulation)) =>
  clusterOf({ controlPlanes: 1, workers: 1 }, { network: { plugin: 'calico', encapsulation, mtu }, ...more });

type Variable = { name: string; value?: string };

function rendered(encapsulation: Encapsulation, backend: string, mtu?: number) {
  const objects = renderCalico(manifest(backend), clusterWith(encapsulation, {}, mtu));
  const [config, kind, node] = objects.map(({ text }) => text);
  const { containers } = parse(node ?? '').spec.template.spec as { containers: { env: Variable[] }[] };
  const env = Object.fromEntries((containers[0]?.env ?? []).map(({ name, value }) => [name, value]));
  return { config: parse(config ?? '').data as Record<string, string>, kind, env };
}

describe("Calico's manifest", () => {
  it.each<[Encapsulation, string, string, string, string, string]>([
    ['vxlan', 'manifests/calico-vxlan.yaml', 'vxlan', 'Never', 'Always', '1450'],
    ['ipip', 'manifests/calico.yaml', 'bird', 'Always', 'Never', '1480'],
    ['none', 'manifests/calico.yaml', 'bird', 'Never', 'Never', '1500'],
  ])(
    'with %s has the network of the file, and nothing is detected',
    (encapsulation, file, backend, ipip, vxlan, mtu) => {
      expect(manifestFile(clusterWith(encapsulation))).toBe(file);
      const { config, env } = rendered(encapsulation, backend);
      expect(config).toEqual({ calico_backend: backend, veth_mtu: mtu });
      expect(env).toMatchObject({
        CALICO_IPV4POOL_CIDR: '10.244.0.0/16',
        CALICO_IPV4POOL_IPIP: ipip,
        CALICO_IPV4POOL_VXLAN: vxlan,
        IP: 'autodetect',
        IP_AUTODETECTION_METHOD: 'kubernetes-internal-ip',
      });
    },
  );

  it('has the MTU of the file, and every other object as it is published', () => {
    const { config, kind } = rendered('vxlan', 'vxlan', 8_950);
    expect(config.veth_mtu).toBe('8950');
    expect(kind).toContain('metadata: { name:   ippools.crd.projectcalico.org }   # as it is');
  });

  it.each<[string, string]>([
    ['another backend', manifest('bird')],
    ['no MTU', manifest('vxlan').replace('  veth_mtu: "0"\n', '')],
    ['no calico-node', manifest('vxlan').replace('name: calico-node, namespace', 'name: node, namespace')],
    ['no variables', manifest('vxlan').replace('          env:', '          args:')],
  ])('of another form is refused: %s', (_, text) => {
    expect(() => renderCalico(text, clusterWith('vxlan'))).toThrow(expect.objectContaining({ code: 'KW489' }));
  });
});

describe('Calico in a cluster', () => {
  it('is applied by its own step', () => {
    const step = planInstall(clusterWith('vxlan')).find(({ phase }) => phase === 'network');
    expect(step).toMatchObject({ id: 'cluster/network', action: 'applyCalico' });
  });

  it.each<[Encapsulation, object, string[]]>([
    ['vxlan', { protocol: 'udp', port: 4789 }, ['vxlan', 'ip_set', 'xt_set']],
    ['ipip', { protocol: 'tcp', port: 179 }, ['ipip', 'ip_set', 'xt_set']],
    ['none', { protocol: 'tcp', port: 179 }, ['ip_set', 'xt_set']],
  ])('asks the hosts for what %s needs', (encapsulation, way, modules) => {
    const cluster = clusterWith(encapsulation);
    expect(calico.flows(cluster)).toContainEqual(expect.objectContaining({ from: 'cp-1', to: 'w-1', ...way }));
    expect(calico.listeners(cluster, 'worker')).toEqual([expect.objectContaining(way)]);
    expect(calico.listeners(cluster, 'etcd')).toEqual([]);
    expect(calico.kernelFeatures(cluster, 'worker').map(({ module }) => module)).toEqual(modules);
    expect(checkEncapsulation(cluster).map(({ code }) => code)).toEqual(encapsulation === 'vxlan' ? [] : ['KW339']);
  });

  it('is compared with the file by what calico-node was given', () => {
    const env = (vxlan: string, cidr = '10.244.0.0/16') =>
      JSON.stringify([
        { name: 'CALICO_IPV4POOL_CIDR', value: cidr },
        { name: 'CALICO_IPV4POOL_IPIP', value: 'Never' },
        { name: 'CALICO_IPV4POOL_VXLAN', value: vxlan },
      ]);
    const compare = (text: string) => work.compare(clusterWith('vxlan'), work.read(text), '10.244.0.0/16').found;
    expect(compare(env('Always'))).toEqual([]);
    expect(compare(env('CrossSubnet'))).toEqual([]);
    expect(compare(env('Never'))).toMatchObject([
      { key: 'spec.network.encapsulation', applied: 'none', wanted: 'vxlan' },
    ]);
    expect(compare(env('Always', '192.168.0.0/16'))).toMatchObject([{ key: 'spec.kubernetes.podSubnet' }]);
    expect(work.read('[]')).toBeUndefined();
  });

  it('has images in a bundle that other networks do not take, and no bundle without them does', () => {
    const image = { names: ['quay.io/calico/node:v3.33.1'], network: 'calico' };
    expect(work.runsImage(clusterWith('vxlan'), image)).toBe(true);
    expect(work.runsImage(clusterWith('vxlan'), { ...image, network: 'other' })).toBe(false);
    expect(work.bundled(clusterWith('vxlan'), 'worker')).toEqual(['calico']);
  });
});

describe('Calico in cluster.yaml', () => {
  const file = (rest: string, kubernetes = '') => `${BASE}  network: { plugin: calico${rest} }\n${kubernetes}`;

  it('has an MTU by its encapsulation, or the one that is written', () => {
    expect(parseFile(file('')).network).toEqual({ plugin: 'calico', encapsulation: 'vxlan', mtu: 1450 });
    expect(parseFile(file(', encapsulation: ipip')).network).toMatchObject({ mtu: 1480 });
    expect(parseFile(file(', mtu: 8950')).network).toMatchObject({ mtu: 8950 });
    expect(problemsOf(file(', mtu: 0')).map(brief)).toEqual(['21:35 bad-value spec.network.mtu']);
  });

  it('goes by one table of releases, Kubernetes and modes of kube-proxy', () => {
    const problems = (version: string, mode: string) =>
      problemsOf(file('', `  kubernetes:\n    version: ${version}\n    kubeProxy: { config: { mode: ${mode} } }\n`))
        .map(brief)
        .filter((each) => each.includes('network-release'));
    for (const version of ['1.34.3', '1.35.4', '1.36.3', '1.37.2']) {
      expect(problems(version, 'iptables')).toEqual([]);
      expect(problems(version, 'ipvs')).toEqual([]);
      expect(problems(version, 'nftables')).toEqual(['24:34 network-release spec.kubernetes.kubeProxy.config.mode']);
    }
  });
});
