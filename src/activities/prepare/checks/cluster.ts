import type { Cluster } from '../../../cluster/types.js';
import type { PeerFacts, VipFacts } from '../facts/cluster-facts.js';
import { listed, type Problem } from './problem.js';

/**
 * Seconds that clocks may differ: etcd's members complain from one second on (rafthttp's `MaxClockDifference`), and leases
 * and certificates go by them.
 */
const LARGEST_SKEW = 1;

/** Everything that is wrong between hosts, all of it at once; pure. */
export function clusterProblems(cluster: Cluster, peers: PeerFacts[], vip: VipFacts): Problem[] {
  return [
    ...checkDistinct(peers),
    ...checkClocks(peers),
    ...checkReach(peers),
    ...checkAuthorities(peers),
    ...checkVip(cluster, peers, vip),
  ];
}

/** Two entries of cluster.yaml may be one machine, or two copies of one that were not told apart. */
function checkDistinct(peers: PeerFacts[]): Problem[] {
  return [
    ...shared(peers, ({ machineId }) => [machineId]).map(({ value, names }) => ({
      code: 'KW331',
      what: `${listed(names)} have the same machine id ${value}`,
      hint: 'They are one machine under two addresses, or copies: on a copy run `rm /etc/machine-id && systemd-machine-id-setup`, then reboot it.',
    })),
    ...shared(peers, ({ hostname }) => [hostname]).map(({ value, names }) => ({
      code: 'KW330',
      what: `${listed(names)} have the same hostname "${value}"`,
      hint: 'Give each its own: `hostnamectl set-hostname NAME`.',
    })),
    ...shared(peers, ({ addresses }) => addresses.filter(isHardware).map(({ mac }) => mac)).map(({ value, names }) => ({
      code: 'KW332',
      what: `${listed(names)} have a network card with the same hardware address ${value}`,
      hint: 'Give copied virtual machines network cards of their own.',
    })),
  ];
}

/** Cards of cni0, docker0 and their like may well be the same on all hosts; loopback always is. */
function isHardware({ card, mac }: { card: string; mac: string }): boolean {
  return mac !== '00:00:00:00:00:00' && !/^(lo|cni|docker|flannel|veth|br-|virbr)/.test(card);
}

function shared(peers: PeerFacts[], values: (peer: PeerFacts) => string[]): { value: string; names: string[] }[] {
  const names = new Map<string, string[]>();
  for (const peer of peers) {
    for (const value of new Set(values(peer))) names.set(value, [...(names.get(value) ?? []), peer.name]);
  }
  return [...names].filter(([, each]) => each.length > 1).map(([value, each]) => ({ value, names: each }));
}

/** Only what is certain counts: the round trip blurs each clock. */
function checkClocks(peers: PeerFacts[]): Problem[] {
  const sorted = [...peers].sort((a, b) => a.clock.offset - b.clock.offset);
  const [slow, fast] = [sorted[0], sorted.at(-1)];
  if (slow === undefined || fast === undefined) return [];
  const skew = fast.clock.offset - slow.clock.offset;
  if (skew - slow.clock.uncertainty - fast.clock.uncertainty <= LARGEST_SKEW) return [];
  const ahead = (peer: PeerFacts): string => `${peer.name} ${(peer.clock.offset - slow.clock.offset).toFixed(1)} s`;
  const what = `the clocks differ by ${skew.toFixed(1)} s (ahead of ${slow.name}: ${listed(sorted.slice(1).map(ahead))})`;
  return [
    {
      code: 'KW333',
      what,
      hint: 'Run a time service on every host (`apt-get install chrony`) and wait until it has set the clock.',
    },
  ];
}

function checkReach(peers: PeerFacts[]): Problem[] {
  return peers
    .filter(({ unreachable }) => unreachable.length > 0)
    .map(({ name, unreachable }) => ({
      code: 'KW335',
      what: `${name} does not reach ${listed(unreachable)}`,
      hint: 'See to the network and to firewalls between them: hosts of a cluster talk to each other on their `address`.',
    }));
}

function checkAuthorities(peers: PeerFacts[]): Problem[] {
  const byAuthority = new Map<string, string[]>();
  for (const { name, caFingerprint } of peers) {
    if (caFingerprint !== undefined) byAuthority.set(caFingerprint, [...(byAuthority.get(caFingerprint) ?? []), name]);
  }
  if (byAuthority.size < 2) return [];
  const groups = [...byAuthority].map(([fingerprint, names]) => `${listed(names)}: ${fingerprint}`);
  return [
    {
      code: 'KW336',
      what: `these hosts belong to different clusters, for they hold different CA certificates (${groups.join('; ')})`,
      hint: 'Find out which one is the cluster. Reset the other hosts (`kubeadm reset`), or take them out of cluster.yaml.',
    },
  ];
}

/** The VIP must be free, unless keepalived of this very cluster holds it on a control plane. */
function checkVip({ endpoint, hosts }: Cluster, peers: PeerFacts[], { onLink, holderMac }: VipFacts): Problem[] {
  const { vip } = endpoint;
  const holders = peers.filter(({ addresses }) => addresses.some(({ address }) => address === vip));
  const roleOf = (name: string) => hosts.find((host) => host.name === name)?.role;
  const wrong = holders.filter(({ name, ours }) => !ours || roleOf(name) !== 'control-plane');
  if (wrong.length > 0) {
    const what = `${listed(wrong.map(({ name }) => name))} already has the virtual IP ${vip} on a network card`;
    return [
      {
        code: 'KW334',
        what,
        hint: 'Take it away there (also from its network configuration), or choose another "endpoint.vip".',
      },
    ];
  }
  const ownMacs = peers.flatMap(({ addresses }) => addresses.map(({ mac }) => mac));
  if (holderMac !== undefined && !ownMacs.includes(holderMac)) {
    const what = `the virtual IP ${vip} is in use: a machine that is not in cluster.yaml answers for it (${holderMac})`;
    return [
      { code: 'KW334', what, hint: 'Choose an address that is free, outside of any DHCP range, as "endpoint.vip".' },
    ];
  }
  if (onLink || holders.length > 0) return [];
  const what = `the virtual IP ${vip} lies in no network of the first control plane's cards, so no host could answer for it`;
  return [
    {
      code: 'KW334',
      what,
      hint: 'Choose a free address of the subnet that the control planes share as "endpoint.vip".',
    },
  ];
}
