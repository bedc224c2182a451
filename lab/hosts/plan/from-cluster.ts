import type { Bastion, Cluster, ClusterHost } from '../../../src/cluster/types.js';
import { KubewrightError } from '../../../src/errors.js';
import type { HostKind, LabPlan, LabUpOptions, PlannedHost, Subnet } from '../types.js';
import { plainHost, withGuests, withKinds } from './hosts.js';
import { overlap, subnetOf } from './subnet.js';

/**
 * The hosts of a user's cluster.yaml as lab hosts: same names, addresses, login users and SSH ports, and a host more for
 * each bastion that is not among them.
 *
 * @throws KW603 for kinds or guests of hosts that are not there, KW604 when the addresses are in use on this machine, KW614 for what a lab cannot imitate
 */
export function planFromCluster(
  cluster: Cluster,
  { kinds = {}, guests = {} }: Pick<LabUpOptions, 'kinds' | 'guests'>,
  inUse: string[],
): LabPlan {
  const { vip, prefixLength, inSubnet } = networkOf(cluster);
  const bastions = bastionHosts(cluster);
  const hosts = [...cluster.hosts.map((host) => plannedHost(host, cluster, bastions)), ...bastions.values()];
  const taken = [vip, ...hosts.map((host) => host.address)];
  const subnet = subnetOf(inSubnet, prefixLength, taken, inUse);
  checkAddresses(hosts, subnet);
  return {
    hosts: withGuests(withKinds(hosts, kinds, freeAddress(subnet, taken)), guests),
    subnet,
    vip,
    topology: cluster.etcd.topology === 'external' ? 'external-etcd' : 'stacked',
    serviceSubnet: cluster.kubernetes.serviceSubnet,
    kubernetes: cluster.kubernetes.version,
  };
}

/** The API's address, and the subnet's by an address in it. An external load balancer is not made: its hosts' subnet counts. */
function networkOf({ endpoint, hosts }: Cluster): { vip: string; prefixLength: number; inSubnet: string } {
  if ('vip' in endpoint) return { ...endpoint, inSubnet: endpoint.vip };
  return { vip: endpoint.address, prefixLength: 24, inSubnet: hosts[0]?.address ?? endpoint.address };
}

function plannedHost(host: ClusterHost, cluster: Cluster, bastions: Map<string, PlannedHost>): PlannedHost {
  const { user, port, bastion, sudoPasswordEnv } = host.ssh;
  const login: HostKind[] = user === 'root' ? [] : [sudoPasswordEnv === null ? 'sudo' : 'sudo-password'];
  return {
    ...plainHost(host.name, host.address, host.role),
    kinds: [...login, ...(bastion ? (['bastion'] as const) : [])],
    user,
    sshPort: port,
    bastion: bastion ? bastionName(bastion, cluster, bastions) : null,
    sudoPasswordEnv: user === 'root' ? null : sudoPasswordEnv,
  };
}

/** Hosts to make for bastions, by address; those that are hosts of the cluster are made anyway. */
function bastionHosts(cluster: Cluster): Map<string, PlannedHost> {
  const made = new Map<string, PlannedHost>();
  for (const { ssh } of cluster.hosts) {
    const { bastion } = ssh;
    if (!bastion || made.has(bastion.address) || cluster.hosts.some((host) => host.address === bastion.address))
      continue;
    const name = made.size === 0 ? 'bastion' : `bastion-${made.size + 1}`;
    made.set(bastion.address, {
      ...plainHost(name, bastion.address, 'bastion'),
      user: bastion.user,
      kinds: bastion.user === 'root' ? [] : ['sudo'],
      sshPort: bastion.port,
    });
  }
  return made;
}

function bastionName(bastion: Bastion, cluster: Cluster, bastions: Map<string, PlannedHost>): string {
  const own = cluster.hosts.find((host) => host.address === bastion.address);
  return own?.name ?? bastions.get(bastion.address)?.name ?? bastion.address;
}

function checkAddresses(hosts: PlannedHost[], subnet: Subnet): void {
  const outside = hosts.filter(
    ({ address }) => !/^\d+(\.\d+){3}$/.test(address) || !overlap(`${address}/32`, subnet.cidr),
  );
  const taken = hosts.filter(({ address }, index) => hosts.findIndex((other) => other.address === address) !== index);
  if (outside.length === 0 && taken.length === 0) return;
  const list = [...outside, ...taken].map(({ name, address }) => `${name} (${address})`).join(', ');
  throw new KubewrightError('KW614', `A lab has one network, ${subnet.cidr}, and cannot make: ${list}.`, {
    hint: 'For the rehearsal, give every host and bastion an address of its own in the network of the VIP.',
  });
}

function freeAddress(subnet: Subnet, taken: string[]): string {
  const prefix = subnet.gateway.replace(/\d+$/, '');
  for (let octet = 254; octet > 1; octet--) {
    const address = `${prefix}${octet}`;
    if (address !== subnet.gateway && !taken.includes(address) && overlap(`${address}/32`, subnet.cidr)) return address;
  }
  throw new KubewrightError('KW604', `The network ${subnet.cidr} has no address left for a bastion.`, {
    hint: 'Use a shorter prefixLength in the cluster.yaml.',
  });
}
