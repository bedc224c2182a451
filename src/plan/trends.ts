import type { DiskTrend } from './disk-trend.js';
import type { MemberTrend } from './etcd-trend.js';

/** What checks hand on from one to the next, in the report's `seen`: a check changes nothing on hosts, and so keeps nothing there. */
export interface Trends {
  /** File systems that are filling, the fullest first. Missing where none has so little room. */
  disks?: DiskTrend[];
  /** Counters of etcd's members. Missing where none was asked. */
  members?: MemberTrend[];
}

const MINUTE_MS = 60_000;

/** Minutes since the epoch: what is compared lies minutes apart, and a time of day in milliseconds is twice as long. */
export function minuteOf(milliseconds: number): number {
  return Math.floor(milliseconds / MINUTE_MS);
}

/** A sample: when it was taken, in minutes since the epoch, and what was counted. */
export type Sample = readonly [minute: number, ...counted: number[]];

/**
 * Puts a sample behind those that are known. Pure. The last one is always the latest; those before it lie at least so far apart, however
 * often is looked. Where a clock was set back, what is of later than now is forgotten.
 *
 * @param apart minutes
 */
export function thinned<S extends Sample>(known: readonly S[], now: S, apart: number): S[] {
  const earlier = known.filter(([minute]) => minute < now[0]);
  const [last, other] = [earlier.at(-1), earlier.at(-2)];
  const isKept = last === undefined || other === undefined || last[0] - other[0] >= apart;
  return [...(isKept ? earlier : earlier.slice(0, -1)), now];
}

/** For how long samples of a host are kept that cannot be asked: nothing is judged by older ones. */
const KEPT_MINUTES = 24 * 60;

/**
 * What is told of hosts now, with what was told before of those of which nothing is told now: one that could not be asked once keeps
 * its samples. Pure.
 *
 * @param hosts names of the cluster's hosts as they are now
 * @param at milliseconds since the epoch
 */
export function carriedOn(
  now: Trends,
  before: Trends,
  { hosts, at }: { hosts: readonly string[]; at: number },
): Trends {
  const kept = seenSince(before, minuteOf(at) - KEPT_MINUTES);
  const disks = union(now.disks, kept.disks, hosts, nameOfDisk);
  const members = union(now.members, kept.members, hosts, ({ host }) => host);
  return { ...(disks.length === 0 ? {} : { disks }), ...(members.length === 0 ? {} : { members }) };
}

/** What was seen from a time on. Pure. @param minute since the epoch */
export function seenSince({ disks = [], members = [] }: Trends, minute: number): Trends {
  return {
    disks: disks.flatMap((trend) => from(trend, minute)),
    members: members.flatMap((trend) => from(trend, minute)),
  };
}

/** What tells the trend of one file system from others. */
export function nameOfDisk({ host, mount, of }: Pick<DiskTrend, 'host' | 'mount' | 'of'>): string {
  return `${host} ${of} ${mount}`;
}

function from<T extends { samples: readonly Sample[] }>(trend: T, since: number): T[] {
  const samples = trend.samples.filter(([minute]) => minute >= since);
  return samples.length === 0 ? [] : [{ ...trend, samples }];
}

function union<T extends { host: string }>(
  now: readonly T[] = [],
  before: readonly T[] = [],
  hosts: readonly string[],
  nameOf: (each: T) => string,
): T[] {
  const told = new Set(now.map(nameOf));
  return [...now, ...before.filter((each) => hosts.includes(each.host) && !told.has(nameOf(each)))];
}
