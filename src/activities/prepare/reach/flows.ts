import { chosenPorts } from '../../../cluster/chosen-ports.js';
import { type Cluster, type ClusterHost, etcdHosts, hostsOf } from '../../../cluster/types.js';
import { API_SERVER_PORT } from '../../../render/kubeadm.js';

/** What one host sends to another in this cluster. */
export type Flow = { from: string; to: string } & Way;

export type Way =
  | { protocol: 'tcp'; port: number; use: string }
  | { protocol: 'udp'; port: number; use: string }
  /** IP protocol 112 (RFC 5798 section 5.1.1.4). */
  | { protocol: 'vrrp'; use: string };

/** `TCP 6443 (API server)`. */
export function nameOf(way: Way): string {
  return way.protocol === 'vrrp'
    ? `IP protocol 112 (${way.use})`
    : `${way.protocol.toUpperCase()} ${way.port} (${way.use})`;
}

/** So many workers are asked about every pair of them. */
const FULL_MESH = 32;

/** In a larger cluster each worker sends to so many others, spread over the list. */
const SAMPLE = 8;

/**
 * Everything that hosts of this cluster will say to each other, directed, without what a host says to itself. Linear in
 * the number of workers: each one with every control plane, and with all other workers up to `FULL_MESH` of them, with a
 * sample of `SAMPLE` beyond.
 */
export function flowsOf(cluster: Cluster): Flow[] {
  const controlPlanes = hostsOf(cluster, 'control-plane');
  const nodes = [...controlPlanes, ...hostsOf(cluster, 'worker')];
  const members = etcdHosts(cluster);
  const tcp = (port: number, use: string): Way => ({ protocol: 'tcp', port, use });
  const network = wayOfNetwork(cluster);
  return [
    ...between(nodes, controlPlanes, tcp(API_SERVER_PORT, 'API server')),
    ...between(nodes, controlPlanes, tcp(cluster.endpoint.port, 'endpoint')),
    ...between(controlPlanes, members, tcp(2379, 'etcd clients')),
    // etcdctl on one member's host asks the others; with stacked etcd these are the same pairs as above.
    ...(cluster.etcd.topology === 'external' ? between(members, members, tcp(2379, 'etcd clients')) : []),
    ...between(members, members, tcp(2380, 'etcd peers')),
    ...between(controlPlanes, nodes, tcp(chosenPorts(cluster).kubelet, 'kubelet')),
    ...(network === undefined ? [] : podNetwork(cluster, network)),
    ...between(controlPlanes, controlPlanes, { protocol: 'vrrp', use: 'VRRP' }),
  ];
}

function between(senders: ClusterHost[], receivers: ClusterHost[], way: Way): Flow[] {
  return senders.flatMap((from) =>
    receivers.filter((to) => to !== from).map((to) => ({ from: from.name, to: to.name, ...way })),
  );
}

function podNetwork(cluster: Cluster, way: Way): Flow[] {
  const controlPlanes = hostsOf(cluster, 'control-plane');
  const workers = hostsOf(cluster, 'worker');
  const amongWorkers =
    workers.length <= FULL_MESH
      ? between(workers, workers, way)
      : workers.flatMap((from, index) => between([from], sample(workers, index), way));
  return [
    ...between(controlPlanes, controlPlanes, way),
    ...between(controlPlanes, workers, way),
    ...between(workers, controlPlanes, way),
    ...amongWorkers,
  ];
}

/** The next one in the list and others at even distances: neighbours in the file often stand in one rack. */
function sample(workers: ClusterHost[], index: number): ClusterHost[] {
  const offsets = Array.from({ length: SAMPLE }, (_, step) => 1 + Math.floor((step * (workers.length - 1)) / SAMPLE));
  return offsets.flatMap((offset) => workers[(index + offset) % workers.length] ?? []);
}

/** Ports of flannel's backends, where the file sets none (flannel's Documentation/backends.md). */
const BACKENDS: Readonly<Record<string, { key: string; port: number }>> = {
  vxlan: { key: 'Port', port: 8472 },
  wireguard: { key: 'ListenPort', port: 51820 },
  udp: { key: 'Port', port: 8285 },
};

/**
 * How pods of different hosts reach each other; undefined for a backend without a port of its own (host-gw routes plain
 * packets of pods) or one that is not known here.
 */
export function wayOfNetwork({ network }: Pick<Cluster, 'network'>): Way | undefined {
  const type = typeOfBackend({ network });
  const backend = BACKENDS[type];
  if (backend === undefined) return undefined;
  const written = network.backend[backend.key];
  const port = Number.isInteger(Number(written ?? Number.NaN)) ? Number(written) : backend.port;
  return { protocol: 'udp', port, use: `pod network, ${type}` };
}

/** As flannel reads it, which does not care for capitals. */
export function typeOfBackend({ network }: Pick<Cluster, 'network'>): string {
  return String(network.backend.Type).toLowerCase();
}
