import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expectRecorded } from './support/applied-record.js';
import { expectEditsAreRefused } from './support/edited-file.js';
import { expectGivenBack, type HostStates, statesOf } from './support/given-back.js';
import { Installed } from './support/installed.js';
import { expectKubeadmTestsPass, kubeadmTests } from './support/kubeadm-tests.js';
import { expectOutlivesBlackout, expectPostConditions, expectSurvivesAnyHost } from './support/post-conditions.js';

describe('an install with external etcd on seven fresh hosts', () => {
  let cluster: Installed;
  let hostsBefore: HostStates;

  beforeAll(async () => {
    await kubeadmTests();
    cluster = await Installed.up('external', 'external-etcd');
    hostsBefore = await statesOf(cluster);
    await cluster.install();
    await cluster.fetchKubeconfig();
  });
  afterAll(async () => {
    await cluster?.down();
  });

  expectPostConditions(() => cluster);
  expectRecorded(() => cluster);
  expectKubeadmTestsPass(() => cluster);

  test('the etcd CA’s key is on the first etcd host and nowhere else, for root alone', async () => {
    const found = await Promise.all(
      cluster.lab.hosts.map(async (host) => {
        const { stdout } = await host.exec(
          `find / -xdev -path /proc -prune -o -path '*etcd*' -name 'ca.key' -printf '%p %m %U\\n' 2>/dev/null`,
        );
        return stdout === '' ? [] : [`${host.name} ${stdout}`];
      }),
    );
    expect(found.flat()).toEqual(['etcd-1 /etc/kubernetes/pki/etcd/ca.key 600 0']);
  });

  test('control planes have etcd’s client certificate and nothing that a member has', async () => {
    for (const host of cluster.controlPlanes()) {
      const { stdout } = await host.exec('cd /etc/kubernetes/pki && ls apiserver-etcd-client.* etcd');
      expect(stdout.split('\n')).toEqual([
        'apiserver-etcd-client.crt',
        'apiserver-etcd-client.key',
        '',
        'etcd:',
        'ca.crt',
      ]);
      expect((await host.exec('pgrep -x etcd', { allowFailure: true })).exitCode).toBe(1);
    }
  });

  test('etcd hosts run static pods and are no nodes', async () => {
    const nodes = await cluster.kubectl(['get', 'nodes', '-o', 'name']);
    expect(nodes).not.toContain('etcd');
    for (const host of cluster.members()) {
      expect((await host.exec('pgrep -x etcd')).stdout).toMatch(/^\d+$/);
      expect((await host.exec('ls /etc/kubernetes/*.conf', { allowFailure: true })).exitCode).not.toBe(0);
    }
  });

  expectEditsAreRefused(() => cluster);
  expectSurvivesAnyHost(() => cluster, ['etcd-1', 'etcd-2', 'etcd-3', 'cp-1', 'cp-2', 'cp-3', 'w-1']);
  expectOutlivesBlackout(() => cluster);
  expectGivenBack(() => ({ cluster, before: hostsBefore }));
});
