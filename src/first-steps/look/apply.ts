import { unusable } from '../../cluster/checks/ip.js';
import { distributionOf } from '../../components/distribution/index.js';
import { isKubewrightError, messageOf } from '../../errors.js';
import type { Draft, DraftHost } from '../draft.js';
import { listedNames, oneLine } from '../left-out.js';
import type { Card, HostLook } from './facts.js';

/** What came of looking at one host; undefined where nobody has looked. */
export type Looked = { look: HostLook } | { problem: unknown } | undefined;

/**
 * Brings what was seen into a draft: what each host is, as a comment, and its address where the source has only the way to it.
 * Pure. What a person should know at once is in the findings, too.
 */
export function applyLooks(draft: Draft, looks: ReadonlyMap<string, Looked>): Draft {
  const findings: string[] = [];
  const unseen = new Map<string, string[]>();
  const taken = new Set(draft.hosts.flatMap(({ address }) => address ?? []));
  const hosts = draft.hosts.map((host) => {
    const looked = looks.get(host.name);
    if (looked === undefined) return host;
    if ('problem' in looked) {
      const reason = reasonOf(looked.problem);
      unseen.set(reason, [...(unseen.get(reason) ?? []), host.name]);
      return { ...host, remarks: [...host.remarks, `Not looked at: ${reason}`] };
    }
    const seen = withAddress(host, looked.look, taken);
    if (seen.address !== undefined) taken.add(seen.address);
    const doubts = [...movedTo(host, seen), ...doubtsOf(seen, looked.look)];
    findings.push(...doubts.map((doubt) => oneLine(`${host.name}: ${doubt}`)));
    return { ...seen, remarks: [...seen.remarks, describe(looked.look), ...doubts.map(capital)] };
  });
  const lines = [...unseen].map(([reason, names]) => oneLine(`could not look at ${listedNames(names)}: ${reason}`));
  return { ...draft, hosts, findings: [...lines, ...findings] };
}

function movedTo({ address: before }: DraftHost, { address }: DraftHost): string[] {
  return before === undefined || before === address ? [] : [`${before} leads to it, and its own address is ${address}`];
}

function reasonOf(problem: unknown): string {
  const code = isKubewrightError(problem) ? `${problem.code}, ` : '';
  return `${code}${messageOf(problem)}`;
}

function capital(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}

function describe({ os, machine, cards }: HostLook): string {
  const shown = cards.map(({ card, address, prefixLength }) => `${card} ${address}/${prefixLength}`);
  return [os.prettyName, machine, ...shown].filter((part) => part !== '').join(', ');
}

/** The address stays where the host has it; a way to it that is none of its addresses leads through somebody else. */
function withAddress(host: DraftHost, look: HostLook, taken: ReadonlySet<string>): DraftHost {
  if (host.address !== undefined && look.addresses.includes(host.address)) return host;
  const way = host.ssh.address ?? host.address;
  const own = ownAddress(look, taken);
  // What a source says of a node's address is not overruled, only what was taken for it because nothing else was there.
  if (own === undefined || (host.address !== undefined && host.ssh.address !== undefined)) return host;
  return { ...host, address: own.address, ssh: { ...host.ssh, address: way === own.address ? undefined : way } };
}

function ownAddress({ cards, source }: HostLook, taken: ReadonlySet<string>): Card | undefined {
  const usable = cards.filter(({ address }) => unusable(address) === undefined && !taken.has(address));
  return usable.find(({ address }) => address === source) ?? (usable.length === 1 ? usable[0] : undefined);
}

function doubtsOf({ address }: DraftHost, look: HostLook): string[] {
  const verdict = distributionOf(look.os);
  return [
    ...(address !== undefined && !look.addresses.includes(address) ? [`${address} is on none of its cards`] : []),
    ...(verdict.supported ? [] : [verdict.reason]),
    ...(look.isNode ? ['it is a Kubernetes node already, and an install leaves those of other clusters alone'] : []),
  ];
}
