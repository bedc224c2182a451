import { describe, expect, it } from 'vitest';
import type { DiskTrend } from '../../../src/plan/disk-trend.js';
import { carriedOn, minuteOf, seenSince, thinned } from '../../../src/plan/trends.js';

const disk = (host: string, ...minutes: number[]): DiskTrend => ({
  host,
  mount: '/',
  of: 'space',
  total: 100,
  samples: minutes.map((minute) => [minute, 30]),
});
const member = (host: string, ...minutes: number[]) => ({
  host,
  startedAt: 1,
  samples: minutes.map((minute) => [minute, 1, 0, 0, 1, 0, 0] as const),
});

describe('samples', () => {
  it('keep the last look, and others that lie far enough apart', () => {
    const looks = [0, 1, 2, 10, 11, 19, 20, 21, 40];
    const all = looks.reduce<[number, number][]>((known, minute) => thinned(known, [minute, 0], 10), []);
    expect(all.map(([minute]) => minute)).toEqual([0, 10, 20, 40]);
  });
});

describe('trends', () => {
  const at = { hosts: ['cp-1', 'w-1'], at: 2_000 * 60_000 };

  it('of hosts that could not be asked are carried on, for a day, while they belong to the cluster', () => {
    const before = { disks: [disk('w-1', 100, 1_900), disk('gone', 1_900)], members: [member('cp-1', 1_900)] };
    expect(carriedOn({}, before, at)).toEqual({ disks: [disk('w-1', 1_900)], members: [member('cp-1', 1_900)] });
    expect(carriedOn({}, { disks: [disk('w-1', 100)] }, at)).toEqual({});
  });

  it('of now take the place of those before, each for itself', () => {
    const inodes = { ...disk('w-1', 1_900), of: 'inodes' as const };
    const before = { disks: [disk('w-1', 1_900), inodes], members: [member('cp-1', 1_900)] };
    const now = { disks: [disk('w-1', 1_900, 2_000)], members: [member('cp-1', 2_000)] };
    expect(carriedOn(now, before, at)).toEqual({ disks: [...now.disks, inodes], members: now.members });
  });

  it('from a time on are without what was seen before', () => {
    const trends = { disks: [disk('w-1', 5, 10, 20), disk('w-2', 5)], members: [member('cp-1', 9, 10)] };
    expect(seenSince(trends, 10)).toEqual({ disks: [disk('w-1', 10, 20)], members: [member('cp-1', 10)] });
    expect(minuteOf(119_999)).toBe(1);
  });
});
