import { describe, expect, test } from 'vitest';
import { staticPods } from '../../../../../src/components/load-balancer/static-pods/plan.js';
import { work } from '../../../../../src/components/load-balancer/static-pods/work.js';
import { planInstall } from '../../../../../src/plan/install.js';
import { clusterOf } from '../../../cluster-fixture.js';

const cluster = clusterOf({ controlPlanes: 3, workers: 2 }, { loadBalancer: { type: 'static-pods', images: null } });
const OWN = { haproxy: 'docker.io/library/haproxy:3.2.4', keepalived: 'registry.example.org/keepalived:2.3.4' };
const named = { ...cluster, loadBalancer: { type: 'static-pods' as const, images: OWN } };

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

  test('has a balancer on every control plane, and no cluster counts as proven without it', () => {
    const started = planInstall(cluster)
      .filter(({ action }) => action === 'startBalancerPods')
      .map(({ host }) => host);
    expect(started).toEqual(['cp-1', 'cp-2', 'cp-3']);
    expect(needsOf('cluster/record')).toEqual(
      expect.arrayContaining(['cp-2/load-balancer-pods', 'cp-3/load-balancer-pods', 'cluster/endpoint']),
    );
  });

  test('has the manifests written before init, which hands them to its kubelet', () => {
    expect(needsOf('cp-1/init')).toContain('cp-1/load-balancer');
    expect(staticPods.staticPods).toEqual([
      '/etc/kubewright/load-balancer/haproxy.yaml',
      '/etc/kubewright/load-balancer/keepalived.yaml',
    ]);
  });

  test('proves the virtual IP once it can be there, and no control plane joins in vain', () => {
    expect(needsOf('cluster/virtual-ip')).toEqual(['cp-1/load-balancer-pods']);
    expect(needsOf('cp-1/load-balancer-pods')).toEqual(['cp-1/init']);
    expect(needsOf('cp-2/join')).toEqual(expect.arrayContaining(['cluster/virtual-ip', 'cp-2/load-balancer']));
    expect(needsOf('cp-2/load-balancer-pods')).toEqual(['cp-2/join']);
  });

  test('needs the runtime first where it has to pull images', () => {
    expect(needsOf('cp-1/load-balancer')).toEqual(['cp-1/system']);
    expect(needsOf('cp-1/load-balancer', named)).toEqual(['cp-1/images']);
  });
});

describe('the bundle', () => {
  test('has to hold the image, on control planes and where the file names no other', () => {
    expect(work.bundled(cluster, 'control-plane')).toEqual(['load-balancer-image']);
    expect(work.bundled(cluster, 'worker')).toEqual([]);
    expect(work.bundled(named, 'control-plane')).toEqual([]);
  });

  test('brings it to nobody else', () => {
    expect(staticPods.images(cluster)).toEqual(['kubewright.dev/load-balancer:']);
    expect(staticPods.images(named)).toEqual([]);
  });
});
