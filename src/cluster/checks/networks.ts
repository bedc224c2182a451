import type { Path } from '../path.js';
import type { Report } from '../report.js';
import type { Sketch } from '../resolve/draft.js';
import { isNode } from '../roles.js';
import type { Cluster } from '../types.js';
import { virtualIpIn } from './endpoint.js';
import type { Check } from './index.js';
import { contains, type Network, overlap, parseNetwork, showNetwork } from './ip.js';

const POD: Path = ['spec', 'kubernetes', 'podSubnet'];
const SERVICE: Path = ['spec', 'kubernetes', 'serviceSubnet'];
const VIP: Path = ['spec', 'endpoint', 'vip'];

/** kubeadm: MaximumBitsForServiceSubnet = 20 (the API server refuses more), MinimumAddressesInServiceSubnet = 10. */
const SERVICE_PREFIX = { least: 12, most: 28 };
/** kube-controller-manager's --node-cidr-mask-size. */
const NODE_MASK = 24;
/** kubeadm: PodSubnetNodeMaskMaxDiff. */
const NODE_MASK_DIFFERENCE = 16;

/** Pods, services and hosts each have a network of their own, of a size that Kubernetes can work with. */
export const checkNetworks: Check = (cluster, report) => {
  const pods = readNetwork(cluster.kubernetes.podSubnet, POD, report);
  const services = readNetwork(cluster.kubernetes.serviceSubnet, SERVICE, report);
  if (services !== undefined) checkServiceSize(services, report);
  if (pods !== undefined) checkPodSize(pods, cluster, report);
  if (pods !== undefined && services !== undefined && overlap(pods, services)) {
    const path = report.written(POD) ? POD : SERVICE;
    report.error(path, 'networks-overlap', {
      message: `pods (${showNetwork(pods)}) and services (${showNetwork(services)}) overlap`,
      expected: 'networks without a common address',
    });
  }
  for (const [network, path, whose] of [
    [pods, POD, 'pods'],
    [services, SERVICE, 'services'],
  ] as const) {
    if (network !== undefined) checkAgainstHosts(network, path, whose, cluster, report);
  }
};

function readNetwork(text: string | undefined, path: Path, report: Report): Network | undefined {
  if (text === undefined) return undefined;
  const network = parseNetwork(text);
  if (showNetwork(network) !== text) {
    report.error(path, 'not-a-network', {
      message: 'this is an address within a network, not the network',
      expected: showNetwork(network),
    });
  }
  return network;
}

function checkServiceSize([, prefix]: Network, report: Report): void {
  if (prefix >= SERVICE_PREFIX.least && prefix <= SERVICE_PREFIX.most) return;
  report.error(SERVICE, 'service-subnet-size', {
    message: prefix < SERVICE_PREFIX.least ? 'the API server takes no network as large as this' : 'this is too small',
    expected: `a network from /${SERVICE_PREFIX.least} to /${SERVICE_PREFIX.most}`,
  });
}

function checkPodSize(pods: Network, { kubernetes, hosts }: Sketch<Cluster>, report: Report): void {
  const [, prefix] = pods;
  const mask = nodeMask(kubernetes.controllerManager.extraArgs);
  const nodes = hosts.filter(({ role }) => role === undefined || isNode(role)).length;
  const room = prefix > mask ? 0 : 2 ** (mask - prefix);
  if (room < nodes) {
    const needed = mask - Math.ceil(Math.log2(nodes));
    report.error(POD, 'pod-subnet-size', {
      message: `every node takes a /${mask} of this: there is room for ${room} nodes, and there are ${nodes}`,
      expected: `a network of /${needed} or larger`,
      found: showNetwork(pods),
    });
  } else if (mask - prefix > NODE_MASK_DIFFERENCE) {
    report.error(POD, 'pod-subnet-size', {
      message: `this is too large: kubeadm takes at most 2^${NODE_MASK_DIFFERENCE} networks of /${mask}`,
      expected: `a network of /${mask - NODE_MASK_DIFFERENCE} or smaller`,
    });
  }
}

function nodeMask(args: Sketch<{ name: string; value: string }[]>): number {
  const given = args.findLast(({ name }) => name === 'node-cidr-mask-size' || name === 'node-cidr-mask-size-ipv4');
  const mask = Number(given?.value ?? NODE_MASK);
  return Number.isInteger(mask) && mask >= 8 && mask <= 32 ? mask : NODE_MASK;
}

function checkAgainstHosts(
  network: Network,
  path: Path,
  whose: string,
  cluster: Sketch<Cluster>,
  report: Report,
): void {
  const { vip, prefixLength } = virtualIpIn(cluster);
  const others: { is: string; path: Path }[] = [];
  const subnet = vip === undefined || prefixLength === undefined ? undefined : parseNetwork(`${vip}/${prefixLength}`);
  if (subnet !== undefined && overlap(network, subnet)) {
    others.push({ is: `the hosts' subnet ${showNetwork(subnet)}`, path: VIP });
  } else {
    for (const [index, host] of cluster.hosts.entries()) {
      if (host.address === undefined || !contains(network, host.address)) continue;
      others.push({
        is: `${host.name ?? 'a host'}'s address ${host.address}`,
        path: ['spec', 'hosts', index, 'address'],
      });
    }
  }
  const [other] = others;
  if (other === undefined) return;
  const place = report.written(path) ? path : other.path;
  const fromDefault = report.written(path) ? '' : ', the default';
  report.error(place, 'networks-overlap', {
    message: `the network of the ${whose} (${showNetwork(network)}${fromDefault}) overlaps ${other.is} (line ${report.line(other.path)})`,
    expected: `a network that no machine uses, in ${path.join('.')}`,
  });
}
