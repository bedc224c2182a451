import { type DiskTrend, followedDisk, fullBy, isFollowed } from '../../../plan/disk-trend.js';
import { nameOfDisk } from '../../../plan/trends.js';
import type { Fault, LookedAt } from './concern.js';

const MIB = 2 ** 20;

/** What was seen of one file system now. */
interface Room {
  mount: string;
  bytes: number;
  freeBytes: number;
  inodes: { all: number; free: number } | undefined;
  /** Milliseconds since the epoch. */
  at: number;
}

/** The trends of a file system's space and inodes, as far as there is little of them, from what checks before have seen of it. Pure. */
export function diskTrends({ host, before }: LookedAt, { mount, bytes, freeBytes, inodes, at }: Room): DiskTrend[] {
  const rooms = [
    { of: 'space' as const, total: Math.round(bytes / MIB), free: Math.floor(freeBytes / MIB) },
    ...(inodes === undefined ? [] : [{ of: 'inodes' as const, total: inodes.all, free: inodes.free }]),
  ];
  return rooms.filter(isFollowed).map((room) => {
    const now = { host: host.name, mount, at, ...room };
    return followedDisk(
      before?.disks?.find((each) => nameOfDisk(each) === nameOfDisk(now)),
      now,
    );
  });
}

/** @param name of the file system, with the folders that lie on it */
export function fillingFaults(trends: readonly DiskTrend[], name: string): Fault[] {
  return trends.flatMap((trend) => {
    const full = fullBy(trend);
    if (full === undefined) return [];
    const { of, samples } = trend;
    const free = samples.at(-1)?.[1] ?? 0;
    const what = of === 'space' ? 'is full' : 'has no inode left';
    const evidence = `${name} ${what} in ${span(full.minutes)} if it goes on as in the last ${span(full.over)}: ${amount(free, of)} free, ${amount(full.perHour, of)} less each hour`;
    return [{ code: 'KW668', evidence, hint: of === 'space' ? SPACE : INODES }];
  });
}

const SPACE =
  'Find what grows before it is full (`du -xh --max-depth=2 MOUNT | sort -h`, twice, some minutes apart; `lsof +L1` for files that were removed and are still written), stop it or give the file system more. What was freed is seen at the next check.';
const INODES =
  'Find what makes so many files before none is left (`du -x --inodes --max-depth=2 MOUNT | sort -n`, twice, some minutes apart).';

function amount(count: number, of: DiskTrend['of']): string {
  if (of === 'inodes') return `${Math.round(count)} inodes`;
  return count >= 1_024 ? `${(count / 1_024).toFixed(1)} GiB` : `${Math.round(count)} MiB`;
}

function span(all: number): string {
  const minutes = Math.round(all);
  return minutes < 120 ? `${minutes} min` : `${Math.floor(minutes / 60)} h`;
}
