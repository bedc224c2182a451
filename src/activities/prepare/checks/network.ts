import ipaddr from 'ipaddr.js';
import { type Network, overlap, parseNetwork } from '../../../cluster/checks/ip.js';
import { isNode } from '../../../cluster/roles.js';
import { ALL_POD_NETWORKS } from '../../../components/registry/plan.js';
import type { Checked } from './index.js';
import { hasNode } from './ownership.js';
import { listed, type Problem } from './problem.js';

/** Cards that are made for pods and services: their addresses and routes are as they should be. */
const OWN_CARDS = /^(kube-ipvs0|nodelocaldns|veth.*|cali.*|cilium.*)$/;

function isOwnCard(card: string): boolean {
  return OWN_CARDS.test(card) || ALL_POD_NETWORKS.some((network) => network.makesCard(card));
}

/** The ways to other machines: addresses, cards, name servers. */
export function checkNetwork(checked: Checked): Problem[] {
  // Other hosts have no pods.
  return isNode(checked.host.role) ? [...checkOverlaps(checked), ...checkNameServers(checked)] : [];
}

/** An empty address is none, and so is one of zeros: loopback's, and that of tunnels over IP. */
export function hasHardwareAddress(mac: string): boolean {
  return /^([0-9a-f]{1,2}:)+[0-9a-f]{1,2}$/i.test(mac) && !/^[0:]*$/.test(mac);
}

/** A larger network than that of the pods, of a company for example, is no conflict: the nodes' own routes are nearer. */
function checkOverlaps(checked: Checked): Problem[] {
  const { facts, cluster } = checked;
  const taken: string[] = [];
  for (const [whose, subnet] of subnetsOf(cluster)) {
    const inside = (text: string): boolean => {
      const network = ipv4Network(text);
      return network !== undefined && overlap(network, subnet) && network[1] >= subnet[1];
    };
    const addresses = facts.addresses.filter(({ card, address }) => !isOwnCard(card) && inside(`${address}/32`));
    // On a node the pods of others are behind routes of flannel's host-gw, which look like anybody's.
    const routes = hasNode(checked)
      ? []
      : facts.routes.filter(({ card, network }) => !isOwnCard(card) && inside(network));
    const names = [
      ...addresses.map(({ card, address }) => `the address ${address} on ${card}`),
      ...routes.map(({ card, network }) => `the route to ${network}${card === '' ? '' : ` through ${card}`}`),
    ];
    if (names.length > 0) taken.push(`the network of the ${whose} overlaps ${listed([...new Set(names)])}`);
  }
  if (taken.length === 0) return [];
  return [
    {
      code: 'KW317',
      what: taken.join('; '),
      hint: 'Choose networks that no machine uses, as kubernetes.podSubnet and kubernetes.serviceSubnet. What belongs to an earlier cluster or to a virtual network of no use may be taken away on the host instead.',
    },
  ];
}

function subnetsOf({ kubernetes }: Checked['cluster']): ['pods' | 'services', Network][] {
  return [
    ['pods', parseNetwork(kubernetes.podSubnet)],
    ['services', parseNetwork(kubernetes.serviceSubnet)],
  ];
}

function ipv4Network(text: string): Network | undefined {
  const cidr = text.includes('/') ? text : `${text}/32`;
  return ipaddr.IPv4.isValidCIDR(cidr) ? parseNetwork(cidr) : undefined;
}

const OWN_FILE =
  'Write a file of name servers that pods can reach (in a network without any, one address of it that answers nobody will do) on every host, /etc/kubernetes/resolv.conf for example, and name it in kubernetes.kubelet.config.resolvConf.';

/**
 * CoreDNS takes its name servers from the file that the kubelet gives it. Without any it ends at its start, and with one
 * of the loopback it would ask itself, and ends too (plugins forward and loop).
 */
function checkNameServers({ facts, cluster }: Checked): Problem[] {
  const { resolvConf } = cluster.kubernetes.kubelet.config;
  const { resolved, byFile } = facts.nameServers;
  const file =
    typeof resolvConf === 'string' && resolvConf !== ''
      ? resolvConf
      : resolved
        ? '/run/systemd/resolve/resolv.conf'
        : '/etc/resolv.conf';
  const servers = byFile.get(file);
  if (servers === undefined) {
    return [{ code: 'KW316', what: `there is no ${file}, from which pods get their name servers`, hint: OWN_FILE }];
  }
  if (servers.length === 0) {
    const what = resolved
      ? `systemd-resolved runs without a name server: ${file}, from which pods get theirs, names none`
      : `${file}, from which pods get their name servers, names none`;
    return [{ code: 'KW316', what, hint: `Configure a name server on the host. ${OWN_FILE}` }];
  }
  const own = servers.filter((address) => /^127\.|^::1$/.test(address));
  if (own.length > 0) {
    const what = `${file} sends pods to the name server ${listed(own)}, which is the pod itself for them`;
    return [{ code: 'KW316', what, hint: OWN_FILE }];
  }
  const inside = servers.filter((address) => {
    const network = ipv4Network(address);
    return network !== undefined && subnetsOf(cluster).some(([, subnet]) => overlap(network, subnet));
  });
  if (inside.length === 0) return [];
  const what = `the name server ${listed(inside)} lies in the network of the pods or of the services`;
  return [{ code: 'KW317', what, hint: 'Choose other networks as kubernetes.podSubnet and kubernetes.serviceSubnet.' }];
}
