import type { Checked } from '../../../activities/prepare/checks/index.js';
import { hasHardwareAddress } from '../../../activities/prepare/checks/network.js';
import type { Problem } from '../../../activities/prepare/checks/problem.js';
import { hostsOf, type Role } from '../../../cluster/types.js';
import type { LoadBalancerWork } from '../../work-types.js';
import { virtualIpOf } from '../virtual-ip/virtual-ip.js';
import { vrrpProblems } from './advertisements.js';
import { backendFaults } from './steps/backends.js';
import { lookAtEndpoint } from './steps/verifyEndpoint.js';
import { gatherVipFacts, vipProblems } from './vip.js';

/**
 * What the preflight and health checks ask wherever keepalived moves the virtual IP between the control planes.
 *
 * @param configuration path of keepalived's configuration on them
 */
export function vrrpWork(configuration: string): Omit<LoadBalancerWork, 'bundled' | 'health'> {
  return {
    async look(context) {
      const [endpoint, past] = await Promise.all([lookAtEndpoint(context), backendFaults(context)]);
      return { ...endpoint, faults: [...endpoint.faults, ...past] };
    },

    checkEndpoint: async () => [],

    unobstructed: (cluster) => `${virtualIpOf(cluster).vip} is free or ours`,

    images: () => [],

    check: checkCards('control-plane'),

    async checkTogether(context, peers) {
      const { cluster, hostNamed, signal } = context;
      const speakers = hostsOf(cluster, 'control-plane');
      const [first] = speakers;
      // The loader refuses a file without a control plane, so this is a programming error, not a user's.
      if (first === undefined) throw new Error('a cluster has at least one control plane');
      const [facts, ofVrrp] = await Promise.all([
        gatherVipFacts(virtualIpOf(cluster).vip, hostNamed(first.name), signal),
        vrrpProblems(context, peers, speakers, configuration),
      ]);
      return [...vipProblems(cluster, peers, facts), ...ofVrrp];
    },
  };
}

/** @param logs what shows the logs of keepalived and HAProxy on a control plane, as it stands in a sentence */
export function vrrpHealth(logs: string): LoadBalancerWork['health'] {
  return (cluster) => ({
    found: `one control plane holds ${virtualIpOf(cluster).vip}, and the API answers at port ${cluster.endpoint.port}`,
    hint: `On the control planes, ${logs} says who holds the virtual IP, and why.`,
  });
}

/** What is in the way of the cards between which keepalived moves the virtual IP: those of hosts of a role. */
export function checkCards(role: Role): (checked: Checked) => Problem[] {
  return (checked) => (checked.host.role === role ? [...checkNamedCard(checked), ...checkCard(checked)] : []);
}

function checkNamedCard({ facts, cluster }: Checked): Problem[] {
  const { interface: card } = virtualIpOf(cluster);
  if (card === null || facts.addresses.some((address) => address.card === card)) return [];
  return [
    {
      code: 'KW306',
      what: `it has no network card ${card} with an address, which "endpoint.interface" names`,
      hint: "Correct endpoint.interface, or leave it out: the card with the host's address is taken.",
    },
  ];
}

/** VRRP and the VIP's ARP need an address of the link layer, which tunnels and serial lines do not have. */
function checkCard({ facts, host, cluster }: Checked): Problem[] {
  const named = virtualIpOf(cluster).interface;
  const card = facts.addresses.find((each) => (named === null ? each.address === host.address : each.card === named));
  if (card === undefined || hasHardwareAddress(card.mac)) return [];
  return [
    {
      code: 'KW327',
      what: `its card ${card.card}, which shall carry the virtual IP, has no hardware address (a WireGuard, PPP or other tunnel)`,
      hint: 'The virtual IP is announced by ARP, which such a card does not speak. Use an Ethernet network between the hosts that take it: put their addresses there into cluster.yaml, or name the card in "endpoint.interface".',
    },
  ];
}
