import { minuteOf, thinned } from './trends.js';

/** How much room a file system had, check by check. */
export interface DiskTrend {
  /** The host that it belongs to. */
  host: string;
  /** Where it is mounted. */
  mount: string;
  /** What there is less and less of. */
  of: 'space' | 'inodes';
  /** How much there is of it, in MiB or inodes. */
  total: number;
  /** Minutes since the epoch, and how much was free then; the latest last. */
  samples: readonly RoomSample[];
  /** Since when it is counted anew, for there was suddenly more room; minutes since the epoch. Missing where nobody has made any. */
  freedAt?: number;
}

/** Minutes since the epoch, and how much was free then, in MiB or inodes. */
export type RoomSample = readonly [minute: number, free: number];

/**
 * The alert NodeFilesystemSpaceFillingUp of node-mixin (node_exporter, docs/node-mixin/alerts): less than 40 % is free, and
 * `predict_linear` over the last 6 hours finds nothing left in 24 hours; the same of inodes (NodeFilesystemFilesFillingUp). It waits
 * an hour before it is told; here an hour of samples has to be there first.
 */
const FOLLOWED_BELOW = 0.4;
const WINDOW_MINUTES = 6 * 60;
const AHEAD_MINUTES = 24 * 60;
const LEAST_MINUTES = 60;
const LEAST_SAMPLES = 3;

/** Checks each half hour come up to a tenth of that early or late, so 12 hours of them are 14 samples at most. */
const APART_MINUTES = 25;

/** Share by which a file system is another one (it was resized), or was emptied. The kubelet frees 5 % when it collects images. */
const JUMP = 0.05;
/** What stat tells in whole blocks may lack one of them. */
const ROUNDING = 0.001;

/** Whether a file system has so little room that its trend matters. */
export function isFollowed({ total, free }: { total: number; free: number }): boolean {
  return total > 0 && free < FOLLOWED_BELOW * total;
}

/**
 * The trend of a file system with what was seen now. Pure. It begins anew where the file system has another size, and where room was
 * made: what grew before says nothing of what comes.
 *
 * @param known what checks before have seen of it
 * @param seen `at` in milliseconds since the epoch
 */
export function followedDisk(
  known: DiskTrend | undefined,
  { at, free, ...disk }: Pick<DiskTrend, 'host' | 'mount' | 'of' | 'total'> & { at: number; free: number },
): DiskTrend {
  const minute = minuteOf(at);
  const now: RoomSample = [minute, free];
  const samples = (known?.samples ?? []).filter(([each]) => each >= minute - WINDOW_MINUTES && each < minute);
  if (known === undefined || samples.length === 0 || isOther(known.total, disk.total))
    return { ...disk, samples: [now] };
  const least = Math.min(...samples.map(([, each]) => each));
  if (free - least >= (JUMP - ROUNDING) * disk.total) return { ...disk, samples: [now], freedAt: minute };
  const isRecent = known.freedAt !== undefined && known.freedAt > minute - WINDOW_MINUTES;
  return {
    ...disk,
    samples: thinned(samples, now, APART_MINUTES),
    ...(isRecent ? { freedAt: known.freedAt } : {}),
  };
}

/** When a file system is full by its trend. */
export interface FullBy {
  /** Minutes from the last sample on. */
  minutes: number;
  /** Minutes of which samples are there. */
  over: number;
  /** MiB or inodes an hour. */
  perHour: number;
}

/**
 * When nothing is free any more, if it goes on as it has; undefined where that is not within 24 hours, or nobody can say. Pure.
 *
 * A line through all samples says so, and the last hour by itself: what came down once, like an image, and stays is no trend. Where
 * somebody has made room, such as the kubelet that collects images, it takes the whole six hours to see that nobody does so again.
 */
export function fullBy({ total, samples, freedAt }: DiskTrend): FullBy | undefined {
  const [first, last] = [samples[0], samples.at(-1)];
  if (first === undefined || last === undefined || samples.length < LEAST_SAMPLES) return undefined;
  const [now, free] = last;
  const over = now - first[0];
  if (over < LEAST_MINUTES || !isFollowed({ total, free })) return undefined;
  if (freedAt !== undefined && now - freedAt < WINDOW_MINUTES) return undefined;
  const anHourAgo = samples.filter(([minute]) => minute <= now - LEAST_MINUTES).at(-1) ?? first;
  const line = lineThrough(samples, now);
  const lately = { slope: (free - anHourAgo[1]) / (now - anHourAgo[0]), value: free };
  const minutes = Math.max(minutesLeft(line), minutesLeft(lately));
  return minutes < AHEAD_MINUTES ? { minutes, over, perHour: -60 * line.slope } : undefined;
}

interface Line {
  /** A minute. */
  slope: number;
  /** At the last sample. */
  value: number;
}

function minutesLeft({ slope, value }: Line): number {
  return slope < 0 ? Math.max(0, value) / -slope : Number.POSITIVE_INFINITY;
}

/** The line with the least squares, as `predict_linear` draws it. */
function lineThrough(samples: readonly RoomSample[], now: number): Line {
  const [x, y] = [0, 1].map((index) => samples.reduce((sum, each) => sum + (each[index] ?? 0), 0) / samples.length);
  const [meanAt = 0, mean = 0] = [x, y];
  const spread = samples.reduce((sum, [minute]) => sum + (minute - meanAt) ** 2, 0);
  const slope = samples.reduce((sum, [minute, free]) => sum + (minute - meanAt) * (free - mean), 0) / spread;
  return { slope, value: mean + slope * (now - meanAt) };
}

function isOther(before: number, now: number): boolean {
  return Math.abs(now - before) > JUMP * before;
}
