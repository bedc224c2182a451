import { describe, expect, test } from 'vitest';
import { cleanUpScript, NODE_PATHS } from '../../../../../src/activities/node-leftovers.js';
import { portsOf } from '../../../../../src/activities/prepare/checks/ports.js';
import type { Cluster } from '../../../../../src/cluster/types.js';
import { packageNeeds } from '../../../../../src/components/packages.js';
import {
  etcdHosts,
  holdsMember,
  kubeadmMakesMember,
  runsContainers,
} from '../../../../../src/components/registry/plan.js';
import { planInstall } from '../../../../../src/plan/install.js';
import { systemdCluster } from './fixture.js';

const onControlPlanes = systemdCluster();
const apart = systemdCluster({ etcd: 3 });

const needsOf = (cluster: typeof apart, id: string) => planInstall(cluster).find((step) => step.id === id)?.needs;

describe('members that systemd runs', () => {
  test('are on the control planes, or on hosts of role etcd', () => {
    expect(etcdHosts(onControlPlanes).map(({ name }) => name)).toEqual(['cp-1', 'cp-2', 'cp-3']);
    expect(etcdHosts(apart).map(({ name }) => name)).toEqual(['etcd-1', 'etcd-2', 'etcd-3']);
    expect(holdsMember(onControlPlanes, 'control-plane')).toBe(true);
    expect(kubeadmMakesMember(onControlPlanes, 'control-plane')).toBe(false);
  });

  test('are there, and healthy, before the cluster begins; and need no container runtime', () => {
    expect(needsOf(onControlPlanes, 'cp-2/etcd')).toEqual(['cp-2/etcd-certificates', 'cp-2/binaries']);
    expect(needsOf(onControlPlanes, 'cp-1/init')).toEqual(
      expect.arrayContaining(['cluster/etcd-health', 'cp-1/etcd-client']),
    );
    expect(needsOf(onControlPlanes, 'cp-2/join')).toContain('cp-2/etcd-client');
  });

  test('have on hosts of their own neither kubelet nor container runtime nor images', () => {
    const steps = planInstall(apart).map(({ id }) => id);
    expect(steps.filter((id) => id.startsWith('etcd-2/'))).toEqual([
      'etcd-2/preflight',
      'etcd-2/system',
      'etcd-2/packages',
      'etcd-2/binaries',
      'etcd-2/etcd-certificates',
      'etcd-2/etcd',
    ]);
    const needed = new Set(planInstall(apart).flatMap(({ needs }) => needs));
    expect([...needed].filter((id) => !steps.includes(id))).toEqual([]);
    expect(runsContainers(apart, 'etcd')).toBe(false);
    expect([...portsOf('etcd', apart).values()]).toEqual(['etcd', 'etcd', 'etcd']);
    expect([...portsOf('control-plane', onControlPlanes)].filter(([, owner]) => owner === 'etcd')).toHaveLength(3);
    const distribution: Cluster = { ...apart, runtime: { type: 'containerd', source: 'distribution', config: {} } };
    expect(packageNeeds(distribution, ['etcd']).hold).toEqual([]);
    expect(packageNeeds(distribution, ['control-plane']).hold).toContain('containerd');
  });

  test('are no sign of a node, and what cleans up after a join leaves their data and keys alone', () => {
    expect(NODE_PATHS.join(' ')).not.toContain('etcd-member');
    expect(cleanUpScript()).not.toMatch(/etcd-member|\/etc\/kubewright/);
  });
});
