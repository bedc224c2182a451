import { spawnSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { hashOf } from '../../../../src/cluster/hash.js';
import type { Cluster } from '../../../../src/cluster/types.js';
import type { KubeProxySection } from '../../../../src/components/kube-proxy/mode.js';
import { renderInitConfig } from '../../../../src/render/kubeadm.js';
import { featureTest, kernelFeaturesFor, renderModules } from '../../../../src/render/modules.js';
import { CLUSTER, problemsWith } from '../../activities/prepare/fixtures.js';
import { BASE, brief, parse, problemsOf } from '../../cluster/helpers.js';
import { clusterOf } from '../../cluster-fixture.js';

const spec = (kubeProxy: string, version = '1.34.3') =>
  `${BASE}  kubernetes:\n    version: ${version}\n    kubeProxy: ${kubeProxy}\n`;

function withProxy(kubeProxy: KubeProxySection): Cluster {
  const cluster = clusterOf({ controlPlanes: 3, workers: 1, etcd: 1 });
  return { ...cluster, kubernetes: { ...cluster.kubernetes, kubeProxy } as Cluster['kubernetes'] };
}

function rendered(kubeProxy: KubeProxySection): unknown {
  const cluster = withProxy(kubeProxy);
  const documents = parseAllDocuments(renderInitConfig(cluster, cluster.hosts[0] as Cluster['hosts'][number]));
  const all = documents.map((document) => document.toJS() as Record<string, unknown>);
  const { apiVersion, kind, ...settings } = (all.find((each) => each.kind === 'KubeProxyConfiguration') ??
    {}) as Record<string, unknown>;
  expect([apiVersion, kind]).toEqual(['kubeproxy.config.k8s.io/v1alpha1', 'KubeProxyConfiguration']);
  return settings;
}

const modules = (kubeProxy: KubeProxySection, role: 'worker' | 'etcd' = 'worker') =>
  kernelFeaturesFor(role, withProxy(kubeProxy)).map(({ module }) => module);

describe('the mode of kube-proxy', () => {
  it('is what cluster.yaml says, and is left to kube-proxy where it says nothing', () => {
    expect(rendered({ config: {} })).toEqual({});
    expect(rendered({ config: { conntrack: { min: 0 } } })).toEqual({ conntrack: { min: 0 } });
    expect(rendered({ mode: 'nftables', config: { conntrack: { min: 0 } } })).toEqual({
      mode: 'nftables',
      conntrack: { min: 0 },
    });
    expect(rendered({ mode: 'iptables', config: {} })).toEqual({ mode: 'iptables' });
  });

  it('ipvs has hosts answer for no address of a Service, unless the file says otherwise', () => {
    expect(rendered({ mode: 'ipvs', config: { ipvs: { scheduler: 'wrr' } } })).toEqual({
      mode: 'ipvs',
      ipvs: { strictARP: true, scheduler: 'wrr' },
    });
    expect(rendered({ mode: 'ipvs', config: { ipvs: { strictARP: false } } })).toMatchObject({
      ipvs: { strictARP: false },
    });
    // As a file of 0.1.0 has it: a cluster that lives with it must not differ from it.
    expect(rendered({ config: { mode: 'ipvs' } })).toEqual({ mode: 'ipvs' });
  });

  it('that is not written leaves the hash of a cluster as it is', () => {
    const hash = hashOf(parse(BASE));
    expect(hashOf(parse(`${BASE}  kubernetes:\n    kubeProxy: {}\n`))).toBe(hash);
    expect(hashOf(parse(`${BASE}  kubernetes:\n    kubeProxy: { mode: nftables }\n`))).not.toBe(hash);
  });
});

describe('cluster.yaml', () => {
  it('takes each mode', () => {
    for (const mode of ['iptables', 'nftables', 'ipvs'] as const) {
      expect(problemsOf(spec(`{ mode: ${mode} }`))).toEqual([]);
      expect(parse(spec(`{ mode: ${mode} }`)).kubernetes.kubeProxy).toEqual({ mode, config: {} });
    }
  });

  it.each([
    ['{ mode: userspace }', ['23:24 bad-value spec.kubernetes.kubeProxy.mode']],
    ['{ mode: nftables, config: { mode: nftables } }', ['23:44 managed-setting spec.kubernetes.kubeProxy.config.mode']],
    ['{ config: { mode: userspace } }', ['23:34 kube-proxy-mode spec.kubernetes.kubeProxy.config.mode']],
    ['{ config: { mode: 7 } }', ['23:34 kube-proxy-mode spec.kubernetes.kubeProxy.config.mode']],
    ['{ config: { mode: "" } }', []],
    ['{ config: { mode: ipvs } }', []],
  ])('refuses what kube-proxy could not do: %s', (kubeProxy, expected) => {
    expect(problemsOf(spec(kubeProxy)).map(brief)).toEqual(expected);
  });

  it.each(['1.35.4', '1.36.3', '1.37.2'])('warns of ipvs with Kubernetes %s, and says what to use', (version) => {
    const [problem, ...more] = problemsOf(spec('{ mode: ipvs }', version));
    expect(more).toEqual([]);
    expect(problem && brief(problem)).toBe('! 23:24 kube-proxy-ipvs spec.kubernetes.kubeProxy.mode');
    expect(problem?.expected).toMatch(/nftables.*5\.13.*iptables/);
    expect(problemsOf(spec('{ config: { mode: ipvs } }', version)).map(brief)).toEqual([
      '! 23:34 kube-proxy-ipvs spec.kubernetes.kubeProxy.config.mode',
    ]);
    expect(problemsOf(spec('{ mode: nftables }', version))).toEqual([]);
  });

  it('is told the modes of its pod network at the key that it uses', () => {
    const calico = `${spec('{ mode: nftables }')}  network: { plugin: calico }\n`;
    expect(problemsOf(calico).map(brief)).toEqual(['23:24 network-release spec.kubernetes.kubeProxy.mode']);
  });
});

describe('the kernel of a node', () => {
  it('has what the mode needs, each module once, and an etcd host nothing of it', () => {
    const common = modules({ config: {} });
    expect(modules({ mode: 'iptables', config: {} })).toEqual(common);
    expect(modules({ mode: 'nftables', config: {} }).filter((name) => !common.includes(name))).toEqual(['nf_tables']);
    expect(modules({ config: { mode: 'nftables' } })).toContain('nf_tables');
    const ipvs = ['ip_vs', 'ip_vs_rr', 'ip_vs_wrr', 'ip_vs_sh', 'nf_conntrack', 'ip_set', 'xt_set', 'dummy'];
    expect(modules({ mode: 'ipvs', config: {} }).filter((name) => !common.includes(name))).toEqual(ipvs);
    expect(modules({ mode: 'ipvs', config: { ipvs: { scheduler: 'lc' } } })).toContain('ip_vs_lc');
    expect(modules({ mode: 'ipvs', config: {} }, 'etcd')).toEqual(['overlay']);
  });

  it('is asked for ip_set once where Calico wants it too', () => {
    const cluster = withProxy({ mode: 'ipvs', config: {} });
    cluster.network = { plugin: 'calico', encapsulation: 'vxlan', mtu: 1450 };
    const text = renderModules(kernelFeaturesFor('worker', cluster));
    expect(text.match(/^ip_set$/gm)).toHaveLength(1);
  });

  it('is asked for a function of nf_tables, which shows built in and loaded alike', () => {
    const [feature] = kernelFeaturesFor('worker', withProxy({ mode: 'nftables', config: {} })).filter(
      ({ module }) => module === 'nf_tables',
    );
    const test = feature && featureTest(feature);
    expect(test).toBe('grep -qw nft_do_chain /proc/kallsyms');
    const holds = (symbols: string): boolean => {
      const file = join(mkdtempSync(join(tmpdir(), 'kallsyms-')), 'kallsyms');
      writeFileSync(file, symbols);
      return spawnSync('bash', ['-c', test?.replace('/proc/kallsyms', file) ?? '']).status === 0;
    };
    expect(holds('ffffffff81f62a50 T nft_do_chain\n')).toBe(true);
    expect(holds('0000000000000000 t nft_do_chain\t[nf_tables]\n')).toBe(true);
    expect(holds('0000000000000000 t nft_do_chain_inet\t[nf_tables]\n')).toBe(false);
  });

  const checked = (mode: 'nftables' | 'iptables', kernel: string, role: 'worker' | 'etcd' = 'worker') => {
    const kubernetes = { ...CLUSTER.kubernetes, kubeProxy: { mode, config: {} } };
    const feature = ['overlay', 'br_netfilter', 'vxlan', 'nf_tables'].map((name) => [name, 'present']);
    return problemsWith(
      { kernel: [['Linux', 'x86_64', kernel]], feature },
      { role, cluster: { ...CLUSTER, kubernetes } },
    );
  };

  it('is refused where it is older than what nftables needs, before the first change', () => {
    expect(checked('nftables', '5.10.0-28-amd64')).toEqual([
      expect.objectContaining({
        code: 'KW341',
        what: 'its kernel is 5.10.0-28-amd64, and kube-proxy in mode nftables needs 5.13',
      }),
    ]);
    expect(checked('nftables', '5.13.0-1')).toEqual([]);
    expect(checked('iptables', '5.10.0-28-amd64')).toEqual([]);
    expect(checked('nftables', '5.10.0-28-amd64', 'etcd')).toEqual([]);
  });
});
