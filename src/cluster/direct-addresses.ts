import { apiAddressOf } from '../components/registry/plan.js';
import type { Cluster } from './types.js';

/** Addresses, names and networks that hosts, pods and services of a cluster reach without a proxy. */
export function mustBeDirect(cluster: Cluster): string[] {
  const { podSubnet, serviceSubnet } = cluster.kubernetes;
  return [...cluster.hosts.map(({ address }) => address), apiAddressOf(cluster), podSubnet, serviceSubnet];
}

/** What Go's programs take from NO_PROXY where one has a proxy: the cluster's addresses and names, and the host itself. */
export function noProxyOf(cluster: Cluster): string {
  return ['localhost', '127.0.0.0/8', ...mustBeDirect(cluster), '.svc', '.cluster.local'].join(',');
}
