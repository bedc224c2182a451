import type { Cluster } from '../../../cluster/types.js';
import type { PeerFacts } from '../facts/cluster-facts.js';
import { reasonFor } from './overrule.js';
import { listed, type Problem } from './problem.js';

/**
 * Seconds that clocks may differ: etcd's members complain from one second on (rafthttp's `MaxClockDifference`), and leases
 * and certificates go by them.
 */
const LARGEST_SKEW = 1;

/**
 * Seconds that the clock of the machine with the worker may be off the hosts': no second counts there, but histories, logs
 * and what is minted for a join bear its time, and a token lives for minutes.
 */
const LARGEST_WORKER_SKEW = 60;

/** Everything that is wrong between hosts, all of it at once; pure. */
export function clusterProblems(cluster: Cluster, peers: PeerFacts[]): Problem[] {
  return [
    ...checkAnswers(peers),
    ...checkDistinct(cluster, peers),
    ...checkClocks(cluster, peers),
    ...checkWorkerClock(peers),
    ...checkAuthorities(peers),
  ];
}

/** What a host did not tell cannot be compared, and that is no reason to pass it. */
function checkAnswers(peers: PeerFacts[]): Problem[] {
  return peers.flatMap(({ name, hostname, machineId, addresses, clock }) => {
    const missing = [
      ...(hostname === '' ? ['its hostname'] : []),
      ...(machineId === '' ? ['its machine id'] : []),
      ...(addresses.every(({ address }) => address === '') ? ['its addresses'] : []),
      ...(Number.isNaN(clock.offset) ? ['its time'] : []),
    ];
    if (missing.length === 0) return [];
    const what = `${name} did not tell ${listed(missing)}, so it could not be compared with the others`;
    const hint = 'See what `hostname`, `cat /etc/machine-id`, `ip -4 address` and `date +%s.%N` say there, then retry.';
    return { code: 'KW339', what, hint, hosts: [name] };
  });
}

/** Two entries of cluster.yaml may be one machine, or two copies of one that were not told apart. */
function checkDistinct(cluster: Cluster, peers: PeerFacts[]): Problem[] {
  return [
    ...shared(peers, ({ machineId }) => machineId).map(({ value, hosts }) => ({
      code: 'KW331',
      what: `${listed(hosts)} have the same machine id ${value}`,
      hint: 'They are one machine under two addresses, or copies: on a copy run `rm /etc/machine-id && systemd-machine-id-setup`, then reboot it.',
      hosts,
    })),
    ...shared(peers, ({ hostname }) => hostname).map(({ value, hosts }) => ({
      code: 'KW330',
      what: `${listed(hosts)} have the same hostname "${value}"`,
      hint: 'Give each its own: `hostnamectl set-hostname NAME`.',
      hosts,
    })),
    ...shared(peers, (peer) => hardwareAddress(cluster, peer)).map(({ value, hosts }) => ({
      code: 'KW332',
      what: `the network cards that carry the addresses of ${listed(hosts)} have the same hardware address ${value}`,
      hint: "Give copied virtual machines network cards of their own: two cards with one hardware address take each other's packets.",
      hosts,
    })),
  ];
}

/**
 * Of the card that carries the host's address: on another one two hosts may well have the same (VirtualBox gives every
 * machine's NAT card one). Undefined where that card has none, as tunnels have none (WireGuard, OpenVPN, PPP).
 */
function hardwareAddress({ hosts }: Cluster, { name, addresses }: PeerFacts): string {
  const own = hosts.find((host) => host.name === name)?.address;
  const mac = addresses.find(({ address }) => address === own)?.mac.toLowerCase() ?? '';
  return /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/.test(mac) && mac !== '00:00:00:00:00:00' ? mac : '';
}

/** Values that several hosts have; an empty one is none. */
function shared(peers: PeerFacts[], told: (peer: PeerFacts) => string): { value: string; hosts: string[] }[] {
  const hosts = new Map<string, string[]>();
  for (const peer of peers) {
    const value = told(peer);
    if (value !== '') hosts.set(value, [...(hosts.get(value) ?? []), peer.name]);
  }
  return [...hosts].filter(([, each]) => each.length > 1).map(([value, each]) => ({ value, hosts: each }));
}

/** Hosts that a person has left out are judged only where the others agree: then it is them. */
function checkClocks(cluster: Cluster, peers: PeerFacts[]): Problem[] {
  const counted = peers.filter(({ name }) => reasonFor(cluster, 'KW333', [name]) === undefined);
  const apart = clocksApart(counted);
  return apart.length > 0 ? apart : clocksApart(peers);
}

/** Only what is certain counts: the round trip blurs each clock. */
function clocksApart(peers: PeerFacts[]): Problem[] {
  const sorted = byClock(peers);
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
      hint: 'Run a time service on every host (chrony or systemd-timesyncd) and wait until it has set the clock.',
      hosts: [slow.name, fast.name],
    },
  ];
}

/** The median, for one host may be wrong itself. The round trip blurs it, and only what is beyond that counts. */
function checkWorkerClock(peers: PeerFacts[]): Problem[] {
  const sorted = byClock(peers);
  const median = sorted[Math.floor((sorted.length - 1) / 2)];
  if (median === undefined) return [];
  const { offset, uncertainty } = median.clock;
  if (Math.abs(offset) - uncertainty <= LARGEST_WORKER_SKEW) return [];
  const much =
    Math.abs(offset) < 600 ? `${Math.round(Math.abs(offset))} s` : `${Math.round(Math.abs(offset) / 60)} min`;
  return [
    {
      code: 'KW333',
      what: `the clock of the machine that runs the worker is ${much} ${offset > 0 ? 'behind' : 'ahead of'} the hosts' clocks`,
      hint: 'Set the clock of that machine, best by a time service; the hosts need nothing.',
      hosts: [],
    },
  ];
}

function byClock(peers: PeerFacts[]): PeerFacts[] {
  return peers.filter(({ clock }) => !Number.isNaN(clock.offset)).sort((a, b) => a.clock.offset - b.clock.offset);
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
      hint: 'Nothing was changed. Find out which cluster each of them belongs to, and take those of another one out of cluster.yaml. A host is free for this one only when nobody needs what is on it.',
    },
  ];
}
