import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expectRecorded } from './support/applied-record.js';
import { ETCD, PKI } from './support/etcd-service.js';
import { expectGivenBack, type HostStates, statesOf } from './support/given-back.js';
import { Installed } from './support/installed.js';
import { expectPostConditions, expectSurvivesAnyHost } from './support/post-conditions.js';

describe('an install with etcd as a service on three hosts of its own, a control plane and a worker', () => {
  let cluster: Installed;
  let hostsBefore: HostStates;

  beforeAll(async () => {
    cluster = await Installed.up('etcd-hosts', 'external-etcd', { hosts: 5, spec: { etcd: ETCD } });
    hostsBefore = await statesOf(cluster);
    cluster.etcdPki = PKI;
    const began = Date.now();
    await cluster.install();
    console.log(`installed in ${Math.round((Date.now() - began) / 1000)} s`);
    await cluster.fetchKubeconfig();
  });
  afterAll(async () => {
    await cluster?.down();
  });

  expectPostConditions(() => cluster);
  expectRecorded(() => cluster);

  test('etcd hosts run etcd and nothing else of the cluster, and are no nodes', async () => {
    const nodes = await cluster.kubectl(['get', 'nodes', '-o', 'name']);
    expect(nodes.trim().split('\n')).toEqual(['node/cp-1', 'node/w-1']);
    for (const host of cluster.members()) {
      expect((await host.exec('systemctl is-active kubewright-etcd')).stdout).toBe('active');
      const others = await host.exec('pgrep -l "kubelet|containerd|kube-"', { allowFailure: true });
      expect(others.stdout).toBe('');
    }
    const [controlPlane] = cluster.controlPlanes();
    expect((await controlPlane?.exec('pgrep -x etcd', { allowFailure: true }))?.stdout).toBe('');
  });

  test('the etcd CA’s key is on the first etcd host and nowhere else; the control plane has a client’s certificate', async () => {
    const found = await Promise.all(
      cluster.lab.hosts.map(async (host) => {
        const { stdout } = await host.exec(
          `find / -xdev -path /proc -prune -o -path '*etcd*' -name 'ca.key' -printf '%p %m %U\\n' 2>/dev/null`,
        );
        return stdout === '' ? [] : [`${host.name} ${stdout}`];
      }),
    );
    expect(found.flat()).toEqual([`etcd-1 ${PKI}/ca.key 600 0`]);
    const files = await cluster.lab.host('cp-1').exec('cd /etc/kubernetes/pki && ls apiserver-etcd-client.* etcd');
    expect(files.stdout.split('\n').filter((line) => line !== '')).toEqual([
      'apiserver-etcd-client.crt',
      'apiserver-etcd-client.key',
      'etcd:',
      'ca.crt',
    ]);
  });

  test('a second install changes nothing', async () => {
    const before = await Promise.all(cluster.lab.hosts.map((host) => cluster.fingerprint(host)));
    await cluster.install();
    expect(await Promise.all(cluster.lab.hosts.map((host) => cluster.fingerprint(host)))).toEqual(before);
  });

  expectSurvivesAnyHost(() => cluster, ['etcd-1', 'etcd-2', 'etcd-3']);
  expectGivenBack(() => ({ cluster, before: hostsBefore }));
});
