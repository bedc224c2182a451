import { describe, expect, test } from 'vitest';
import { renderInitScript } from '../../../../../src/activities/kubeadm/init-script.js';
import { portsOf } from '../../../../../src/activities/prepare/checks/ports.js';
import type { ClusterHost } from '../../../../../src/cluster/types.js';
import { lvs } from '../../../../../src/components/load-balancer/lvs/plan.js';
import { work } from '../../../../../src/components/load-balancer/lvs/work.js';
import { planInstall } from '../../../../../src/plan/install.js';
import { kernelFeaturesFor } from '../../../../../src/render/modules.js';
import { sysctlsFor } from '../../../../../src/render/sysctl.js';
import { lvsCluster } from './lvs-cluster.js';

const cluster = lvsCluster();
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

  test('gives a director keepalived and nothing of Kubernetes', () => {
    const verbs = planInstall(cluster)
      .filter(({ host }) => host === 'lb-1')
      .map(({ id }) => id);
    expect(verbs).toEqual(['lb-1/preflight', 'lb-1/system', 'lb-1/packages', 'lb-1/load-balancer']);
  });

  test('begins the cluster when a director has the virtual IP, and every control plane has what gives it the address', () => {
    expect(needsOf('cluster/virtual-ip')).toEqual(['lb-1/load-balancer', 'lb-2/load-balancer']);
    expect(needsOf('cp-1/init')).toEqual(expect.arrayContaining(['cluster/virtual-ip', 'cp-1/load-balancer']));
    expect(needsOf('cp-2/join')).toContain('cp-2/load-balancer');
  });

  test('lets the others join when connections come about through LVS', () => {
    expect(needsOf('cluster/directors')).toEqual(['cp-1/init']);
    expect(needsOf('cp-2/join')).toContain('cluster/directors');
    expect(needsOf('cluster/record')).toContain('cluster/endpoint');
  });

  test('waits for no mirror where keepalived is the bundle’s', () => {
    expect(needsOf('lb-1/load-balancer')).toEqual(['lb-1/packages']);
    expect(needsOf('lb-1/load-balancer', lvsCluster({ source: 'bundle' }))).toEqual(['lb-1/system']);
    expect(work.bundled(lvsCluster({ source: 'bundle' }), 'director')).toEqual(['load-balancer']);
    expect(work.bundled(lvsCluster({ source: 'bundle' }), 'control-plane')).toEqual([]);
    expect(work.bundled(cluster, 'director')).toEqual([]);
  });

  test('has init wait for the virtual IP: until the API server is ready nothing leads to it', () => {
    const [first] = cluster.hosts as [ClusterHost];
    const script = renderInitScript(cluster, first, []);
    const at = (line: RegExp) => script.search(line);
    expect(at(/^await '[^']*' listening$/m)).toBeGreaterThan(0);
    expect(at(/^await '[^']*' endpoint$/m)).toBeGreaterThan(at(/^await '[^']*' listening$/m));
    expect(at(/^phase upload-config/m)).toBeGreaterThan(at(/^await '[^']*' endpoint$/m));
  });
});

describe('what it needs of hosts', () => {
  test('directors have IPVS in their kernel, and neither pods nor containers', () => {
    expect(kernelFeaturesFor('director', cluster).map(({ module }) => module)).toEqual(['ip_vs', 'ip_vs_rr']);
    expect(kernelFeaturesFor('control-plane', cluster).map(({ module }) => module)).not.toContain('ip_vs');
    expect([...portsOf('director', cluster).keys()]).toEqual([6443]);
    expect(lvs.packages(cluster, 'director').install).toEqual(['keepalived', 'ipvsadm']);
    expect(lvs.packages(cluster, 'control-plane').install).toEqual([]);
  });

  test('control planes are silent about an address on lo, and nobody listens to addresses that it has not', () => {
    const settings = (role: ClusterHost['role']) => Object.fromEntries(sysctlsFor(cluster, { role }));
    expect(settings('control-plane')).toMatchObject({
      'net.ipv4.conf.all.arp_ignore': '1',
      'net.ipv4.conf.all.arp_announce': '2',
    });
    expect(settings('control-plane')).not.toHaveProperty(['net.ipv4.ip_nonlocal_bind']);
    expect(settings('worker')).not.toHaveProperty(['net.ipv4.conf.all.arp_ignore']);
    expect(settings('director')).toEqual({
      'net.ipv4.vs.expire_nodest_conn': '1',
      'net.ipv4.vs.sync_refresh_period': '10',
      'net.ipv4.vs.sync_threshold': '3 0',
    });
  });

  test('every way that is used is tried first: to directors, between them, and from them to the API servers', () => {
    const ways = lvs.flows(cluster).map((flow) => `${flow.from} ${flow.to} ${flow.use}`);
    expect(ways).toEqual(
      expect.arrayContaining([
        'w-1 lb-1 endpoint',
        'cp-2 lb-2 endpoint',
        'lb-1 cp-3 health checks',
        'lb-1 lb-2 VRRP',
        'lb-2 lb-1 connections of LVS',
      ]),
    );
    expect(ways).not.toContain('cp-1 cp-2 VRRP');
  });
});
