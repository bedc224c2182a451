import { describe, expect, it } from 'vitest';
import { flowsOf, nameOf } from '../../../../../src/activities/prepare/reach/flows.js';
import type { Cluster } from '../../../../../src/cluster/types.js';
import type { Flow } from '../../../../../src/components/flows.js';
import { wayOfNetwork } from '../../../../../src/components/network/flannel/backend.js';
import { clusterOf } from '../../../cluster-fixture.js';

const written = (flow: Flow) => `${flow.from} > ${flow.to} ${nameOf(flow).replace(/ \(.*/, '')}`;
const flows = (cluster: Cluster) => flowsOf(cluster).map(written);
const pairs = (cluster: Cluster, what: string) =>
  flows(cluster)
    .filter((each) => each.endsWith(` ${what}`))
    .map((each) => each.slice(0, -what.length - 1));

describe('what is said between the hosts of a cluster', () => {
  const stacked = clusterOf({ controlPlanes: 2, workers: 1 });
  const external = clusterOf({ controlPlanes: 1, workers: 1, etcd: 2 });

  it('is the API and the endpoint from every node to every control plane', () => {
    for (const what of ['TCP 6443', 'TCP 8443']) {
      expect(pairs(stacked, what)).toEqual(['cp-1 > cp-2', 'cp-2 > cp-1', 'w-1 > cp-1', 'w-1 > cp-2']);
    }
    expect(pairs(external, 'TCP 6443')).toEqual(['w-1 > cp-1']);
  });

  it('is etcd between control planes and members, wherever these are', () => {
    expect(pairs(stacked, 'TCP 2379')).toEqual(['cp-1 > cp-2', 'cp-2 > cp-1']);
    expect(pairs(stacked, 'TCP 2380')).toEqual(['cp-1 > cp-2', 'cp-2 > cp-1']);
    const members = ['etcd-1 > etcd-2', 'etcd-2 > etcd-1'];
    expect(pairs(external, 'TCP 2379')).toEqual(['cp-1 > etcd-1', 'cp-1 > etcd-2', ...members]);
    expect(pairs(external, 'TCP 2380')).toEqual(members);
  });

  it('is the kubelet of every node, for control planes; etcd hosts have theirs for themselves', () => {
    expect(pairs(stacked, 'TCP 10250')).toEqual(['cp-1 > cp-2', 'cp-1 > w-1', 'cp-2 > cp-1', 'cp-2 > w-1']);
    expect(pairs(external, 'TCP 10250')).toEqual(['cp-1 > w-1']);
    const moved = clusterOf({ controlPlanes: 1, workers: 1 });
    moved.kubernetes.kubelet.config = { port: 10350 };
    expect(pairs(moved, 'TCP 10250')).toEqual([]);
    expect(pairs(moved, 'TCP 10350')).toEqual(['cp-1 > w-1']);
  });

  it('is the pod network between all nodes, and VRRP between control planes', () => {
    const nodes = ['cp-1', 'cp-2', 'w-1'];
    const all = nodes.flatMap((from) => nodes.filter((to) => to !== from).map((to) => `${from} > ${to}`));
    expect(pairs(stacked, 'UDP 8472').sort()).toEqual(all.sort());
    expect(pairs(stacked, 'IP protocol 112')).toEqual(['cp-1 > cp-2', 'cp-2 > cp-1']);
  });

  it('is nothing on a single host', () => {
    expect(flows(clusterOf({ controlPlanes: 1, workers: 0 }))).toEqual([]);
  });

  it.each([
    [{ Type: 'vxlan' }, 'UDP 8472 (pod network, vxlan)'],
    [{ Type: 'VXLAN', Port: '8473' }, 'UDP 8473 (pod network, vxlan)'],
    [{ Type: 'vxlan', Port: 4789 }, 'UDP 4789 (pod network, vxlan)'],
    [{ Type: 'wireguard' }, 'UDP 51820 (pod network, wireguard)'],
    [{ Type: 'wireguard', ListenPort: 51821 }, 'UDP 51821 (pod network, wireguard)'],
    [{ Type: 'host-gw' }, undefined],
  ])('goes by the backend of the pod network: %j', (backend, name) => {
    const way = wayOfNetwork({ network: { plugin: 'flannel', backend } });
    expect(way && nameOf(way)).toBe(name);
  });

  it('grows with the workers, not with their square, and every worker is sent to by eight others', () => {
    const cluster = clusterOf({ controlPlanes: 3, workers: 200 });
    const all = flowsOf(cluster);
    expect(all.length).toBeLessThan(203 * 30);
    const among = all.filter(
      ({ from, to, protocol }) => protocol === 'udp' && from.startsWith('w') && to.startsWith('w'),
    );
    for (const { name } of cluster.hosts.filter(({ role }) => role === 'worker')) {
      expect(new Set(among.filter(({ to }) => to === name).map(({ from }) => from)).size).toBe(8);
    }
    expect(among).toHaveLength(200 * 8);
    expect(among.every(({ from, to }) => from !== to)).toBe(true);
  });
});
