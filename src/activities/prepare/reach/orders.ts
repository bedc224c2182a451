import { dirname } from 'node:path/posix';
import type { Cluster, ClusterHost } from '../../../cluster/types.js';
import type { Flow } from '../../../components/flows.js';
import { componentsOf } from '../../../components/registry/plan.js';
import { OWNER_PATH } from '../../../render/owner.js';
import { HOSTS_AT_A_TIME } from '../../each-host.js';

/** IP protocol numbers, as the raw sockets of the listener take them. */
export const UDP = 17;
export const VRRP = 112;

/** One asking of all hosts; its token tells its packets and answers from those of any other. */
export interface Run {
  cluster: Cluster;
  flows: Flow[];
  token: string;
}

/**
 * Where one of these is, no port is listened on: what belongs there is installed, or an installation is on its way, and a
 * component that starts in these seconds would find its port taken. Whether a packet comes through is seen all the same:
 * from a port without a listener the kernel answers with a refusal.
 */
const INSTALLED = [
  dirname(OWNER_PATH),
  '/etc/kubernetes',
  '/var/lib/kubelet/config.yaml',
  '/var/lib/rancher',
  '/var/lib/k0s',
  '/var/snap/microk8s',
];

/** A listener ends by itself after so many seconds: for the rounds of a small cluster, and for each 100 hosts more. */
const LIFE_SECONDS = { least: 20, perBatch: 20 };

/** Seconds without an answer after which a connection counts as filtered: two lost SYNs are sent again by then (1 s, 2 s). */
const PATIENCE_SECONDS = 4;

/** What a host has to listen to. */
export function listenOrders({ cluster, flows, token }: Run, host: ClusterHost): string[] {
  const incoming = flows.filter(({ to }) => to === host.name);
  const ports = new Set(incoming.flatMap((flow) => (flow.protocol === 'tcp' ? [flow.port] : [])));
  const batches = Math.ceil(cluster.hosts.length / HOSTS_AT_A_TIME);
  return [
    ...whoOrders(cluster, host, token),
    `life ${LIFE_SECONDS.least + batches * LIFE_SECONDS.perBatch}`,
    ...(incoming.some(({ protocol }) => protocol === 'udp') ? [`${UDP} 1`] : []),
    ...(incoming.some(({ protocol }) => protocol === 'vrrp') ? [`${VRRP} 1`] : []),
    ...[...ports].map((port) => {
      return `tcp ${port} ${[...INSTALLED, ...configurationsBehind(cluster, host, port)].join(' ')}`;
    }),
  ];
}

/** Configurations of the service that will have the port: where one is, that service may have it already. */
function configurationsBehind(cluster: Cluster, { role }: ClusterHost, port: number): string[] {
  return componentsOf(cluster).flatMap((component) => {
    const owners = component.listeners(cluster, role).filter((listener) => listener.port === port);
    return component.services
      .filter(({ name }) => owners.some(({ process }) => process === name))
      .map(({ configuration }) => configuration);
  });
}

/**
 * What a host has to send. The id of a connection is the flow's place in the list of all.
 *
 * @param listens whether our own listener is at the other end, which says its nonce
 */
export function probeOrders(
  { cluster, flows, token }: Run,
  host: ClusterHost,
  listens: (flow: Flow) => boolean,
): string[] {
  const orders = [...whoOrders(cluster, host, token), `patience ${PATIENCE_SECONDS}`];
  for (const [id, flow] of flows.entries()) {
    if (flow.from !== host.name) continue;
    const number = numberOf(cluster, flow.to);
    const address = cluster.hosts[number]?.address ?? '';
    if (flow.protocol === 'tcp') orders.push(`tcp ${id} ${address} ${flow.port} ${listens(flow) ? number : '-'}`);
    else orders.push(datagramOrder(cluster, flow));
  }
  return orders;
}

/** The order by which a datagram is sent; the prober repeats it when it could not. */
export function datagramOrder(cluster: Cluster, flow: Flow): string {
  const number = numberOf(cluster, flow.to);
  const address = cluster.hosts[number]?.address ?? '';
  return flow.protocol === 'udp' ? `udp ${address} ${number} ${flow.port}` : `vrrp ${address} ${number}`;
}

/** Who a host is, for the listener's name and the nonces. */
export function whoOrders(cluster: Cluster, host: ClusterHost, token: string): string[] {
  return [`token ${token}`, `self ${numberOf(cluster, host.name)}`, `address ${host.address}`];
}

export function numberOf({ hosts }: Cluster, name: string): number {
  return hosts.findIndex((host) => host.name === name);
}
