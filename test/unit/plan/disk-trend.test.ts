import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type DiskTrend, followedDisk, fullBy, isFollowed } from '../../../src/plan/disk-trend.js';

const DISK = { host: 'w-1', mount: '/var', of: 'space' as const, total: 100_000 };
const MINUTE = 60_000;
/** Not on a full hour, as no check is. */
const BEGAN = 29_000_017 * MINUTE;

/** The trend behind checks at these minutes, of a disk of which so much was free then, in percent. */
function diskAfter(looks: [minute: number, free: number][], known?: DiskTrend, total = DISK.total): DiskTrend {
  const trend = looks.reduce<DiskTrend | undefined>(
    (before, [minute, free]) =>
      followedDisk(before, { ...DISK, total, at: BEGAN + minute * MINUTE, free: Math.floor((free * total) / 100) }),
    known,
  );
  if (trend === undefined) throw new Error('no look');
  return trend;
}

/** Looks from one minute to another, of a disk that has a steady loss each hour, in percent. */
function steady(
  from: number,
  to: number,
  { every = 30, free = 35, hourly = 2 }: { every?: number; free?: number; hourly?: number } = {},
): [number, number][] {
  const count = Math.floor((to - from) / every) + 1;
  return Array.from({ length: count }, (_, index) => [from + index * every, free - (hourly * index * every) / 60]);
}

describe('a disk that loses room steadily', () => {
  it('is told when it is full, from an hour of samples on', () => {
    expect(fullBy(diskAfter(steady(0, 30)))).toBeUndefined();
    const full = fullBy(diskAfter(steady(0, 60)));
    // 33 % are free by then, and 2 % go each hour.
    expect(full?.minutes).toBeCloseTo(16.5 * 60, 0);
    expect(full).toMatchObject({ over: 60 });
    expect(full?.perHour).toBeCloseTo(2_000, 0);
  });

  it('that lasts longer than a day, or has much room still, is none', () => {
    expect(fullBy(diskAfter(steady(0, 360, { hourly: 1 })))).toBeUndefined();
    expect(fullBy(diskAfter(steady(0, 180, { free: 60, hourly: 4 })))).toBeUndefined();
    expect(isFollowed({ total: 100, free: 40 })).toBe(false);
    expect(isFollowed({ total: 100, free: 39 })).toBe(true);
    // A file system that counts nothing.
    expect(isFollowed({ total: 0, free: 0 })).toBe(false);
  });

  it('is told the same however often it is looked at', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 60 }),
        fc.integer({ min: 120, max: 900 }),
        fc.double({ min: 2, max: 4, noNaN: true }),
        (every, minutes, hourly) => {
          const free = 10 + (hourly * minutes) / 60;
          fc.pre(free < 40);
          const full = fullBy(diskAfter(steady(0, minutes, { every, free, hourly })));
          const left = free - (hourly * Math.floor(minutes / every) * every) / 60;
          expect(full?.minutes).toBeGreaterThan((left / hourly) * 60 - 5);
          expect(full?.minutes).toBeLessThan((left / hourly) * 60 + 5);
        },
      ),
    );
  });
});

describe('a disk', () => {
  it('that has as much room as before, or more, is never told, whatever checks there are', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 1, max: 400 }), fc.integer({ min: 0, max: 5 })), { maxLength: 60 }),
        (gaps) => {
          let [minute, free] = [0, 5];
          const looks = gaps.map(([gap, more]): [number, number] => {
            minute += gap;
            free = Math.min(39, free + more);
            return [minute, free];
          });
          if (looks.length > 0) expect(fullBy(diskAfter(looks))).toBeUndefined();
        },
      ),
    );
  });

  it('that came down once and stays is told no more an hour later: an image was pulled', () => {
    const looks = [...steady(0, 180, { hourly: 0, free: 38 }), ...steady(210, 300, { hourly: 0, free: 25 })];
    expect(fullBy(diskAfter(looks))).toBeUndefined();
  });

  it('that was emptied is looked at for all of six hours before it is told', () => {
    const filling = diskAfter(steady(0, 240, { free: 30, hourly: 4 }));
    expect(fullBy(filling)).toBeDefined();
    // The kubelet collects images: 5 % more are free, and it goes on.
    const collected = diskAfter(steady(270, 360, { free: 19, hourly: 2 }), filling);
    expect(collected.samples).toHaveLength(4);
    expect(fullBy(collected)).toBeUndefined();
    expect(fullBy(diskAfter(steady(270, 600, { free: 19, hourly: 2 }), filling))).toBeUndefined();
    expect(fullBy(diskAfter(steady(270, 630, { free: 19, hourly: 2 }), filling))).toMatchObject({ over: 360 });
  });

  it('that has another size is another one', () => {
    const filling = diskAfter(steady(0, 240, { free: 30, hourly: 4 }));
    const grown = diskAfter([[270, 30]], filling, 150_000);
    expect(grown).toMatchObject({ total: 150_000, samples: [[29_000_287, 45_000]] });
    expect(fullBy(grown)).toBeUndefined();
    // It has to be looked at for an hour again, and no longer: nobody has made room in it.
    expect(fullBy(diskAfter(steady(300, 330, { free: 28, hourly: 4 }), grown, 150_000))).toMatchObject({ over: 60 });
  });

  it('that nobody has looked at for six hours begins anew, and a shorter gap is none', () => {
    const filling = diskAfter(steady(0, 120));
    expect(diskAfter([[500, 20]], filling).samples).toHaveLength(1);
    expect(fullBy(diskAfter([[300, 25]], filling))).toMatchObject({ over: 300 });
  });

  it('on a worker whose clock was set back forgets what is of later than now', () => {
    const filling = diskAfter(steady(600, 720));
    expect(diskAfter([[0, 30]], filling).samples).toEqual([[29_000_017, 30_000]]);
  });

  it('keeps no more than fits, however many checks there are, and always the last look', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 39 })), {
          minLength: 1,
          maxLength: 200,
        }),
        (gaps) => {
          let minute = 0;
          const looks = gaps.map(([gap, free]): [number, number] => {
            minute += gap;
            return [minute, free];
          });
          const trend = diskAfter(looks);
          expect(trend.samples.length).toBeLessThanOrEqual(16);
          expect(trend.samples.at(-1)).toEqual([29_000_017 + minute, (looks.at(-1)?.[1] ?? 0) * 1_000]);
          const minutes = trend.samples.map(([each]) => each);
          expect(minutes).toEqual([...new Set(minutes)].sort((a, b) => a - b));
          expect(minute + 29_000_017 - (minutes[0] ?? 0)).toBeLessThanOrEqual(360);
        },
      ),
    );
  });
});
