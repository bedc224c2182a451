import { describe, expect, test } from 'vitest';
import { flowsOf } from '../../../../../src/activities/prepare/reach/flows.js';
import { kubeVip } from '../../../../../src/components/load-balancer/kube-vip/plan.js';
import { work } from '../../../../../src/components/load-balancer/kube-vip/work.js';
import { planInstall } from '../../../../../src/plan/install.js';
import { IMAGE, kubeVipCluster } from './kube-vip-cluster.js';

const cluster = kubeVipCluster();
const named = kubeVipCluster({ image: 'registry.example.org/kube-vip:v1.2.4' });

const needsOf = (id: string, of = cluster) => planInstall(of).find((step) => step.id === id)?.needs;

describe('the plan', () => {
  test('names every step once and needs only steps that stand before it', () => {
    const seen = new Set<string>();
    for (const { id, needs } of planInstall(cluster)) {
      expect(seen.has(id), id).toBe(false);
      for (const need of needs) expect(seen.has(need), `${id} needs ${need}`).toBe(true);
      seen.add(id);
    }
  });

  test('has kube-vip on every control plane, and no cluster counts as proven without it', () => {
    const started = planInstall(cluster)
      .filter(({ action }) => action === 'startKubeVip')
      .map(({ host }) => host);
    expect(started).toEqual(['cp-1', 'cp-2', 'cp-3']);
    expect(needsOf('cluster/record')).toEqual(
      expect.arrayContaining(['cp-2/load-balancer-pods', 'cp-3/load-balancer-pods', 'cluster/endpoint']),
    );
  });

  test('has the manifest written before init, which hands it to its kubelet', () => {
    expect(needsOf('cp-1/init')).toContain('cp-1/load-balancer');
    expect(kubeVip.staticPods).toEqual(['/etc/kubewright/load-balancer/kube-vip.yaml']);
  });

  test('proves the virtual IP before anybody joins through it', () => {
    expect(needsOf('cluster/virtual-ip')).toEqual(['cp-1/load-balancer-pods']);
    expect(needsOf('cp-1/load-balancer-pods')).toEqual(['cp-1/init']);
    expect(needsOf('cp-2/join')).toEqual(expect.arrayContaining(['cluster/virtual-ip', 'cp-2/load-balancer']));
    expect(needsOf('cp-2/load-balancer-pods')).toEqual(['cp-2/join']);
  });

  test('needs the runtime first where it has to pull the image', () => {
    expect(needsOf('cp-1/load-balancer')).toEqual(['cp-1/system']);
    expect(needsOf('cp-1/load-balancer', named)).toEqual(['cp-1/images']);
  });
});

describe('the bundle', () => {
  test('has to hold the image, on control planes and where the file names no other', () => {
    expect(work.bundled(cluster, 'control-plane')).toEqual(['kube-vip']);
    expect(work.bundled(cluster, 'worker')).toEqual([]);
    expect(work.bundled(named, 'control-plane')).toEqual([]);
  });

  test('is not asked for an image that the file names; a registry of the user’s is', () => {
    const registry = {
      address: 'registry.example.org',
      paths: {},
      ca: null,
      loginEnv: null,
      images: 'missing' as const,
    };
    const mirrored = { ...named, packages: { ...named.packages, registry } };
    expect(work.images(named)).toEqual([]);
    expect(work.images(cluster)).toEqual([]);
    expect(work.images(mirrored)).toEqual(['registry.example.org/kube-vip:v1.2.4']);
  });

  test('brings it to nobody else', () => {
    const [prefix = ''] = kubeVip.images(cluster);
    expect(IMAGE.startsWith(prefix)).toBe(true);
    expect(kubeVip.images(named)).toEqual([]);
  });
});

describe('what hosts have of it', () => {
  test('is nothing between them beside the API server’s port', () => {
    expect(kubeVip.flows(cluster)).toEqual([]);
    expect(flowsOf(cluster)).toContainEqual({
      from: 'w-1',
      to: 'cp-1',
      protocol: 'tcp',
      port: 6443,
      use: 'API server',
    });
    expect(flowsOf(cluster).filter(({ protocol }) => protocol === 'vrrp')).toEqual([]);
  });

  test('is one port of loopback on control planes', () => {
    expect(kubeVip.listeners(cluster, 'control-plane')).toEqual([
      { protocol: 'tcp', port: 2112, process: 'kube-vip', use: "kube-vip's metrics" },
    ]);
    expect(kubeVip.listeners(cluster, 'worker')).toEqual([]);
  });
});
