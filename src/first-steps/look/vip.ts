import ipaddr from 'ipaddr.js';
import { contains, parseNetwork } from '../../cluster/checks/ip.js';
import type { Draft } from '../draft.js';
import type { Looked } from './apply.js';
import type { HostLook } from './facts.js';

/** More addresses than these nobody waits for: each that is silent takes most of a second. */
const MOST_CANDIDATES = 8;

/** Addresses that may be free, as far as can be said without asking anybody, and who can ask. */
export interface VipSearch {
  /** The last addresses of the subnet first: those that are given out by DHCP, and to hosts, are rather in front. */
  candidates: string[];
  prefixLength: number;
  /** Name of the control plane that asks. */
  askedBy: string;
}

/** Where to look for a VIP, or why nowhere. Pure. */
export function searchFor(draft: Draft, looks: ReadonlyMap<string, Looked>): VipSearch | { why: string } {
  const controlPlanes = draft.hosts.filter(({ role }) => role === 'control-plane');
  const seen = controlPlanes.flatMap(({ name, address }) => {
    const card = lookOf(looks.get(name))?.cards.find((each) => each.address === address);
    return card === undefined ? [] : [{ name, ...card }];
  });
  const [first] = seen;
  if (first === undefined) return { why: 'no control plane could be asked for its subnet' };
  const subnet = parseNetwork(`${first.address}/${first.prefixLength}`);
  const outside = controlPlanes.find(({ address }) => address !== undefined && !contains(subnet, address));
  if (outside !== undefined) {
    return {
      why: `${first.name} and ${outside.name} are in no common subnet (${first.address}/${first.prefixLength}, ${outside.address})`,
    };
  }
  const candidates = freeIn(first.address, first.prefixLength, knownIn(draft, looks));
  if (candidates.length === 0) return { why: `the subnet of ${first.name} has no address left` };
  return { candidates, prefixLength: first.prefixLength, askedBy: first.name };
}

function lookOf(looked: Looked): HostLook | undefined {
  return looked !== undefined && 'look' in looked ? looked.look : undefined;
}

/** Every address that is known to be somebody's. */
function knownIn(draft: Draft, looks: ReadonlyMap<string, Looked>): Set<string> {
  const written = draft.hosts.flatMap(({ address, ssh }) => [address, ssh.address, ssh.bastion?.address]);
  const seen = [...looks.values()].flatMap((looked) => {
    const look = lookOf(looked);
    return look === undefined ? [] : [...look.addresses, ...look.gateways];
  });
  return new Set([...written, ...seen].filter((address) => address !== undefined));
}

/** Between the first and the last address of a subnet, from its end. */
function freeIn(address: string, prefixLength: number, known: ReadonlySet<string>): string[] {
  const cidr = `${address}/${prefixLength}`;
  const [first, last] = [ipaddr.IPv4.networkAddressFromCIDR(cidr), ipaddr.IPv4.broadcastAddressFromCIDR(cidr)].map(
    (end) => end.toByteArray().reduce((sum, octet) => sum * 256 + octet, 0),
  ) as [number, number];
  const free: string[] = [];
  for (let at = last - 1; at > first && free.length < MOST_CANDIDATES; at--) {
    const candidate = [24, 16, 8, 0].map((bits) => Math.floor(at / 2 ** bits) % 256).join('.');
    if (!known.has(candidate)) free.push(candidate);
  }
  return free;
}
