import { isNode } from '../../cluster/roles.js';
import type { Role } from '../../cluster/types.js';
import type { ClusterSummary, HostStanding } from '../json/status.js';
import { firstNames, plural } from '../text.js';
import type { Theme } from '../theme.js';
import type { Line } from '../types.js';

/** Roles in the order in which they are shown, and what one host of each is called. */
export const ROLES: readonly [Role, string][] = [
  ['control-plane', 'control plane'],
  ['worker', 'worker'],
  ['etcd', 'etcd host'],
  ['director', 'director'],
];

/** Hosts of a role that are listed one by one; of more than that those that are not well, as many at most. */
const LISTED = 20;
/** Codes that are named of one host. */
const CODES = 3;

/**
 * The hosts by role, each with what the latest check has seen of it. Of a role of many hosts those are listed that are not well, and
 * the others are counted, those together that are alike.
 */
export function hostLines(summary: ClusterSummary, theme: Theme): Line[] {
  return ROLES.flatMap(([role, noun]) => {
    const hosts = summary.hosts.filter((host) => host.role === role);
    if (hosts.length === 0) return [];
    const isListed = hosts.length <= LISTED;
    const troubled = hosts.filter(isTroubled);
    const named = isListed ? hosts : troubled.slice(0, LISTED);
    const widths = {
      name: Math.max(0, ...named.map(({ name }) => name.length)),
      address: Math.max(0, ...named.map(({ address }) => address.length)),
    };
    return [
      [{ text: plural(hosts.length, noun), style: 'strong' }] as Line,
      ...named.map((host) => hostLine(host, summary, widths, theme)),
      ...(isListed ? [] : countedLines(hosts, troubled.slice(LISTED), summary, theme)),
    ];
  });
}

/** What is wrong with a host as the latest check has seen it, in words; codes stand last. Empty where nothing is known to be. */
export function remarksOn({ ready, kubelet, otherVersion, codes }: HostStanding): string[] {
  const more = codes.length - CODES;
  return [
    ...(ready === false ? [kubelet === undefined ? 'no node of the cluster' : 'not Ready'] : []),
    ...(otherVersion ? ['another version than applied'] : []),
    ...codes.slice(0, CODES),
    ...(more > 0 ? [`${more} more`] : []),
  ];
}

/** Whether a check has seen the host: a node, where it has told of that; another one, where it has looked at all. */
export function isSeen({ role, ready }: HostStanding, { seenAt }: Pick<ClusterSummary, 'seenAt'>): boolean {
  return isNode(role) ? ready === true : seenAt !== undefined;
}

/** Whether the latest check has found something wrong with a host. */
export function isTroubled({ ready, otherVersion, codes }: HostStanding): boolean {
  return ready === false || otherVersion === true || codes.length > 0;
}

function hostLine(
  host: HostStanding,
  summary: ClusterSummary,
  widths: { name: number; address: number },
  theme: Theme,
): Line {
  const { name, address, kubelet } = host;
  const remarks = remarksOn(host);
  const roles = [
    ...(summary.virtualIpHolders?.includes(name) ? ['virtual IP'] : []),
    ...(summary.etcdLeader === name ? ['etcd leader'] : []),
  ];
  return [
    sign(host, summary, theme),
    { text: `${name.padEnd(widths.name)}  ` },
    { text: `${address.padEnd(widths.address)}  `, style: 'faint' },
    ...(kubelet === undefined ? [] : [{ text: `${kubelet}  ` }]),
    ...(remarks.length === 0 ? [] : [{ text: `${remarks.join(', ')}  `, style: 'bad' as const }]),
    { text: roles.join(', ') },
  ];
}

function sign(host: HostStanding, summary: ClusterSummary, theme: Theme): Line[number] {
  const { symbols } = theme;
  if (isTroubled(host)) return { text: `  ${symbols.failed} `, style: 'bad' };
  return isSeen(host, summary)
    ? { text: `  ${symbols.done} `, style: 'good' }
    : { text: `  ${symbols.waiting} `, style: 'faint' };
}

/** Hosts that are not listed. */
function countedLines(hosts: HostStanding[], unlisted: HostStanding[], summary: ClusterSummary, theme: Theme): Line[] {
  const { symbols } = theme;
  const alike = new Map<string, HostStanding[]>();
  for (const host of hosts) {
    if (isTroubled(host)) continue;
    const key = host.kubelet ?? '';
    alike.set(key, [...(alike.get(key) ?? []), host]);
  }
  const names = unlisted.map(({ name }) => name);
  return [
    ...(unlisted.length === 0
      ? []
      : [
          [
            { text: `  ${symbols.failed} `, style: 'bad' as const },
            { text: `${plural(unlisted.length, 'more host')} not well: ${firstNames(names, 4)}` },
          ],
        ]),
    ...[...alike].flatMap(([kubelet, ones]): Line[] => {
      const what = whatIsKnown(ones[0], kubelet, summary);
      if (what === undefined) return [];
      const isWell = what !== UNTOLD;
      const sign = { text: `  ${isWell ? symbols.done : symbols.waiting} `, style: isWell ? 'good' : 'faint' } as const;
      return [[sign, { text: `${plural(ones.length, 'other')}: ${what}` }]];
    }),
  ];
}

const UNTOLD = 'the last check does not tell';

/** Of hosts that are alike; undefined where no check has looked, which is told below. */
function whatIsKnown(first: HostStanding | undefined, kubelet: string, { seenAt }: ClusterSummary): string | undefined {
  if (first?.ready === true) return `Ready with ${kubelet}`;
  if (seenAt === undefined || first === undefined) return undefined;
  return isNode(first.role) ? UNTOLD : 'nothing was found';
}
