import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expectAsBefore, type HostStates, reset, statesOf } from './support/given-back.js';
import { Installed } from './support/installed.js';

describe('a reset of one host', () => {
  let cluster: Installed;
  let before: HostStates;

  beforeAll(async () => {
    cluster = await Installed.up('resetone', 'stacked', { hosts: 4 });
    before = await statesOf(cluster);
    await cluster.install();
    await cluster.fetchKubeconfig();
  });
  afterAll(async () => {
    await cluster?.down();
  });

  const names = async () => {
    const said = await cluster.kubectl(['get', 'nodes', '-o', 'jsonpath={.items[*].metadata.name}']);
    return said.split(' ').sort();
  };

  test('refuses a control plane while another member of etcd is away: the quorum would be lost', async () => {
    const { clusterFile } = cluster.lab.files;
    await cluster.lab.host('cp-3').powerOff();
    try {
      const args = ['reset', clusterFile, '--yes-reset', cluster.lab.name, '--host', 'cp-2', '--no-wait'];
      const { exitCode, all } = await cluster.kubewright(args, { allowFailure: true });
      expect([exitCode, all]).toEqual([3, expect.stringContaining('KW395')]);
      await cluster.kubewright(['abort', '--cluster', cluster.lab.name]);
    } finally {
      await cluster.lab.host('cp-3').powerOn();
    }
    expect(await cluster.whole()).toBe(true);
    expect(await cluster.etcdMembers(cluster.lab.host('cp-1'))).toHaveLength(3);
  });

  test('takes a worker out of a cluster that goes on', async () => {
    await reset(cluster, '--host', 'w-1');
    await expectAsBefore(cluster, before, ['w-1']);
    expect(await names()).toEqual(['cp-1', 'cp-2', 'cp-3']);
    expect(await cluster.takesWrite('without-w-1')).toBe(true);
  });

  test('takes a control plane out, with its vote in etcd', async () => {
    await reset(cluster, '--host', 'cp-2');
    await expectAsBefore(cluster, before, ['cp-2']);
    expect(await names()).toEqual(['cp-1', 'cp-3']);
    const members = await cluster.etcdMembers(cluster.lab.host('cp-1'));
    expect(members.map(([, , name]) => name).sort()).toEqual(['cp-1', 'cp-3']);
    expect(await cluster.takesWrite('without-cp-2')).toBe(true);
  });

  test('is taken back into the cluster by an install of the same file', async () => {
    await cluster.install();
    expect(await names()).toEqual(['cp-1', 'cp-2', 'cp-3', 'w-1']);
  });
});
