import type { HealthFinding } from './run.js';
import { minuteOf, thinned } from './trends.js';

/** What a member of etcd has counted since it started, check by check. */
export interface MemberTrend {
  /** The host that it runs on. */
  host: string;
  /** When its process started, seconds since the epoch: it counts from there. */
  startedAt: number;
  /** The latest last. */
  samples: readonly CounterSample[];
}

/**
 * Minutes since the epoch, and what was counted by then: fsyncs of the write-ahead log, how many of them took longer than 0.512 s and
 * than 1.024 s; commits of the database, how many of them took longer than 0.256 s; leaders that it has seen come.
 */
export type CounterSample = readonly [
  minute: number,
  fsyncs: number,
  slowFsyncs: number,
  stuckFsyncs: number,
  commits: number,
  slowCommits: number,
  leaderChanges: number,
];

/**
 * The bounds of etcd's buckets (powers of two milliseconds) next above the thresholds of its own alerts (etcd, contrib/mixin/alerts):
 * etcdHighFsyncDurations at a 99th percentile of 0.5 s, and 1 s when it is critical, etcdHighCommitDurations at 0.25 s. More than one
 * in a hundred above a bound is a 99th percentile above it: nothing has to be guessed within a bucket.
 */
export const BOUNDS = { slowFsync: '0.512', stuckFsync: '1.024', slowCommit: '0.256' } as const;

/** Share of them above a bound that a 99th percentile lets pass. */
const PASSES = 0.01;

/** As long as those alerts have to hold before they are told (`for: 10m`). */
const WINDOW_MINUTES = 10;

/** A member without much to do makes some in a second; of fewer than these in a window one in a hundred is no five. */
const LEAST_COUNTED = 500;

/** Two windows, the time since the last of their ends, and now. */
const KEPT = 4;

/** Its alert etcdHighNumberOfLeaderChanges: `increase([15m]) >= 4`. */
const LEADER_CHANGES = 4;
const LEADER_MINUTES = 15;

/** The trend of a member with what it says now. Pure. One that was restarted counts anew. @param now milliseconds since the epoch */
export function followedMember(
  known: MemberTrend | undefined,
  { host, startedAt, counted, at }: Omit<MemberTrend, 'samples'> & { counted: number[]; at: number },
): MemberTrend {
  const now = [minuteOf(at), ...counted] as unknown as CounterSample;
  const isSame = known?.startedAt === startedAt && known.samples.every((each) => !goesBack(each, now));
  const samples = thinned(isSame ? known.samples : [], now, WINDOW_MINUTES);
  return { host, startedAt, samples: samples.slice(-KEPT) };
}

function goesBack(before: CounterSample, now: CounterSample): boolean {
  return before.some((count, index) => index > 0 && count > (now[index] ?? 0));
}

/** A disk that keeps a member waiting. */
export interface SlowDisk {
  /** What takes that long, such as "an fsync of its write-ahead log". */
  what: string;
  /** Seconds that more than one in a hundred of them took. */
  seconds: number;
  /** Share of them, in percent. */
  percent: number;
  /** Minutes over which that was counted. */
  over: number;
}

/**
 * Whether a member's disk is too slow; undefined where it is not, or where nobody can say. Pure. At etcd's critical threshold it is at
 * once, at the others only where it was in the ten minutes before, too: a disk may be busy for a while, and an hour of checks each ten
 * minutes is told of as it is.
 */
export function slowDisk({ samples }: MemberTrend): SlowDisk | undefined {
  const now = samples.at(-1);
  const middle = now && before(samples, now);
  if (now === undefined || middle === undefined) return undefined;
  const start = before(samples, middle);
  const lately = (of: Latency) => exceeded(of, middle, now);
  const often = (of: Latency) => (start !== undefined && exceeded(of, start, middle) ? lately(of) : undefined);
  return lately(STUCK_FSYNC) ?? often(SLOW_FSYNC) ?? often(SLOW_COMMIT);
}

interface Latency {
  what: string;
  bound: string;
  /** Where a sample has how many there were, and how many took longer. */
  all: number;
  above: number;
}

const FSYNC = 'an fsync of its write-ahead log';
const STUCK_FSYNC: Latency = { what: FSYNC, bound: BOUNDS.stuckFsync, all: 1, above: 3 };
const SLOW_FSYNC: Latency = { what: FSYNC, bound: BOUNDS.slowFsync, all: 1, above: 2 };
const SLOW_COMMIT: Latency = { what: 'a commit of its database', bound: BOUNDS.slowCommit, all: 4, above: 5 };

/** The latest sample that is at least a window older. */
function before(samples: readonly CounterSample[], than: CounterSample): CounterSample | undefined {
  return samples.filter(([minute]) => minute <= than[0] - WINDOW_MINUTES).at(-1);
}

function exceeded({ what, bound, all, above }: Latency, from: CounterSample, to: CounterSample): SlowDisk | undefined {
  const [counted, slow] = [all, above].map((index) => (to[index] ?? 0) - (from[index] ?? 0));
  if (counted === undefined || slow === undefined || counted < LEAST_COUNTED || slow <= PASSES * counted)
    return undefined;
  return { what, seconds: Number(bound), percent: (100 * slow) / counted, over: to[0] - from[0] };
}

/**
 * Whether etcd's leader changes so often that etcd's own alert would say so: four times in a quarter of an hour, and as often for each
 * of them where checks lie further apart. Pure. One finding, for all members see the same leaders come.
 */
export function leaderFindings(members: readonly MemberTrend[]): HealthFinding[] {
  const seen = members.flatMap(({ host, samples }) => {
    const changes = oftenest(samples);
    return changes === undefined ? [] : [{ host, ...changes }];
  });
  const [most] = [...seen].sort((a, b) => b.changes - a.changes);
  if (most === undefined) return [];
  const evidence = `etcd's leader has changed ${most.changes} times in ${most.minutes} min, as the member on ${most.host} has seen it`;
  const hint =
    'Members lose sight of their leader when a disk or the network between them is slow, or a host has too little of its processors: see KW666, `ping` between the hosts at port 2380, and the load of the hosts. etcd’s log on the hosts says when (`elected leader`).';
  return [{ code: 'KW667', host: null, evidence, hint }];
}

function oftenest(samples: readonly CounterSample[]): { changes: number; minutes: number } | undefined {
  const now = samples.at(-1);
  if (now === undefined) return undefined;
  const spans = samples.map((each) => ({ changes: now[6] - each[6], minutes: Math.max(1, now[0] - each[0]) }));
  return spans
    .filter(({ changes, minutes }) => changes >= (LEADER_CHANGES * Math.max(minutes, LEADER_MINUTES)) / LEADER_MINUTES)
    .sort((a, b) => b.changes - a.changes)[0];
}
