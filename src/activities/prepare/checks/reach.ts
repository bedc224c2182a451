import type { Cluster } from '../../../cluster/types.js';
import type { Flow } from '../../../components/flows.js';
import { type Firewall, type Need, remedy } from '../reach/firewall.js';
import { nameOf } from '../reach/flows.js';
import type { Blocked, Observation } from '../reach/observe.js';
import { reasonFor } from './overrule.js';
import { listed, type Problem } from './problem.js';

/** By what does not come through, and how it is known. */
export type ReachCode = 'KW335' | 'KW337' | 'KW338' | 'KW339' | 'KW350';

const CODES = { tcp: 'KW335', udp: 'KW337', vrrp: 'KW338' } as const;

/** The code under which a flow's outcome is told; undefined where it passes. */
export function codeOf({ flow, outcome }: Observation): ReachCode | undefined {
  if (outcome.is === 'passes') return undefined;
  if (outcome.is === 'unknown') return 'KW339';
  return outcome.is === 'wrong' ? 'KW350' : CODES[flow.protocol];
}

/**
 * Everything that does not come through, or could not be asked, one problem for each receiving host and kind of failure;
 * pure. What is overruled is left out flow by flow, and told as a problem of its own.
 *
 * @param firewalls what filters packets, by name of the host; for those that block something
 */
export function checkReach(
  cluster: Cluster,
  observations: Observation[],
  firewalls: Map<string, Firewall | undefined> = new Map(),
): Problem[] {
  const groups = new Map<string, Group>();
  for (const seen of observations) {
    const code = codeOf(seen);
    if (code === undefined) continue;
    const overruled = reasonFor(cluster, code, [seen.flow.from, seen.flow.to]);
    // One host that cannot ask leaves many flows unknown, for one reason.
    const place = seen.outcome.is === 'unknown' ? '' : culprit(seen);
    const key = [code, place, mannerOf(seen), overruled ?? ''].join('\n');
    const group = groups.get(key) ?? { code, seen: [], ...(overruled === undefined ? {} : { overruled }) };
    group.seen.push(seen);
    groups.set(key, group);
  }
  return shortened([...groups.values()]).map(({ code, overruled, seen, more }) => {
    const { what, hint } = sentences(cluster, code, seen, firewalls);
    return {
      code,
      what: more === undefined ? what : `${what}; ${more}`,
      hint,
      hosts: hostsIn(seen),
      ...(overruled === undefined ? {} : { overruled }),
    };
  });
}

interface Group {
  code: ReachCode;
  overruled?: string;
  seen: Observation[];
  /** Hosts of others like it that are not told, as the end of the sentence. */
  more?: string;
}

/** So many groups of one code are told in full: one firewall's rules often stand on a hundred hosts. */
const TOLD = 10;

/** The last one that is told counts those that are not. */
function shortened(groups: Group[]): Group[] {
  const kinds = new Map<string, Group[]>();
  for (const group of groups) {
    const kind = `${group.code}\n${group.overruled ?? ''}`;
    kinds.set(kind, [...(kinds.get(kind) ?? []), group]);
  }
  return [...kinds.values()].flatMap((kind) => {
    const last = kind[TOLD - 1];
    if (last === undefined || kind.length === TOLD) return kind;
    const hosts = kind.slice(TOLD).map(({ seen }) => (seen[0] === undefined ? '' : culprit(seen[0])));
    return [...kind.slice(0, TOLD - 1), { ...last, more: `and likewise ${listedFew([...new Set(hosts)])}` }];
  });
}

/** Names of the hosts whose filter may be what blocks, and which are worth asking for it. */
export function blockers(cluster: Cluster, observations: Observation[]): string[] {
  const blocked = observations.filter(
    (seen) =>
      seen.outcome.is === 'blocked' &&
      reasonFor(cluster, codeOf(seen) ?? '', [seen.flow.from, seen.flow.to]) === undefined,
  );
  return [...new Set(blocked.map(culprit))];
}

/** Where to look: at the receiver, unless the sender's own kernel refused. */
function culprit({ flow, outcome }: Observation): string {
  return outcome.is === 'blocked' && outcome.how === 'own' ? flow.from : flow.to;
}

function mannerOf({ outcome }: Observation): string {
  if (outcome.is === 'blocked') return outcome.how;
  return outcome.is === 'unknown' ? outcome.why : outcome.is === 'wrong' ? outcome.said : '';
}

function hostsIn(seen: Observation[]): string[] {
  return [...new Set(seen.flatMap(({ flow }) => [flow.to, flow.from]))];
}

const MANNERS: Record<Blocked, string> = {
  timeout: 'no answer came, as when a firewall drops it',
  refused: 'it was refused although somebody listened, as a firewall does that rejects',
  unreachable: 'it was answered that there is no way, as a router or a firewall that rejects does',
  own: 'its own filter does not let it out',
};

function sentences(
  cluster: Cluster,
  code: ReachCode,
  seen: Observation[],
  firewalls: Map<string, Firewall | undefined>,
): Pick<Problem, 'what' | 'hint'> {
  const [first] = seen;
  if (first === undefined) throw new Error('a group of observations is not empty');
  const { outcome, flow } = first;
  if (outcome.is === 'unknown') {
    return {
      what: `it is not known whether ${listedFew([...new Set(seen.map((one) => one.flow.to))])} can be reached at ${ways(seen)}: ${outcome.why}`,
      hint: 'Mend what kept it from being asked (perl-base is all that it needs; where dnf installs packages, perl), then retry; or overrule it.',
    };
  }
  if (outcome.is === 'wrong') {
    const said = outcome.said === '' ? 'and said nothing' : `and said "${outcome.said}"`;
    return {
      what: `something else than ${flow.to} answered for it at ${ways(seen)}, ${said}`,
      hint: 'A proxy, a translated address or a second host with this address stands between them: hosts of a cluster talk to each other directly, on their `address`.',
    };
  }
  const how = outcome.is === 'blocked' ? outcome.how : 'timeout';
  if (how === 'own') {
    return {
      what: `${flow.from} cannot send to ${ways(seen, ({ to }) => to, 'to')}: ${MANNERS.own}`,
      hint: `Let it out there: see \`nft list ruleset\` or \`iptables -S OUTPUT\` on ${flow.from}.`,
    };
  }
  return {
    what: `${flow.to} cannot be reached at ${ways(seen)}: ${MANNERS[how]}`,
    hint: remedy(flow.to, firewalls.get(flow.to), needOf(cluster, seen, code)),
  };
}

/** So many hosts are named; the others are counted. */
const SHOWN = 6;

/** `TCP 6443 (API server) and TCP 8443 (endpoint) from cp-2 and w-1; TCP 10250 (kubelet) from cp-2`. */
function ways(seen: Observation[], other: (flow: Flow) => string = ({ from }) => from, word = 'from'): string {
  const hosts = new Map<string, string[]>();
  for (const { flow } of seen) hosts.set(nameOf(flow), [...(hosts.get(nameOf(flow)) ?? []), other(flow)]);
  const names = new Map<string, string[]>();
  for (const [name, others] of hosts) names.set(others.join('\n'), [...(names.get(others.join('\n')) ?? []), name]);
  return [...names].map(([others, each]) => `${listed(each)} ${word} ${listedFew(others.split('\n'))}`).join('; ');
}

function listedFew(names: string[]): string {
  return listed(names.length <= SHOWN ? names : [...names.slice(0, SHOWN), `${names.length - SHOWN} more`]);
}

function needOf({ hosts }: Cluster, seen: Observation[], code: ReachCode): Need {
  const ports = new Set(seen.flatMap(({ flow }) => (flow.protocol === 'vrrp' ? [] : [flow.port])));
  const senders = new Set(seen.map(({ flow }) => flow.from));
  const sorted = [...ports].sort((a, b) => a - b);
  return {
    tcp: code === 'KW335' ? sorted : [],
    udp: code === 'KW337' ? sorted : [],
    vrrp: code === 'KW338',
    from: hosts.filter(({ name }) => senders.has(name)).map(({ address }) => address),
  };
}
