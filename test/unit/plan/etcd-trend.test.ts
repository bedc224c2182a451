import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { followedMember, leaderFindings, type MemberTrend, slowDisk } from '../../../src/plan/etcd-trend.js';

const MINUTE = 60_000;
const STARTED = 1_700_000_000;

/** What a member does in a minute; all of it a healthy one's. */
interface Doing {
  fsyncs?: number;
  slow?: number;
  stuck?: number;
  commits?: number;
  slowCommits?: number;
  leaders?: number;
}

/** A member that is looked at after each of these spans of minutes, with what it has done in them. */
function memberAfter(spans: [minutes: number, doing?: Doing][], { host = 'cp-1', restarts = -1 } = {}): MemberTrend {
  let [minute, startedAt] = [0, STARTED];
  let counted = [90_000, 9_000, 900, 40_000, 9_000, 7];
  let trend: MemberTrend | undefined;
  spans.forEach(([minutes, doing = {}], index) => {
    minute += minutes;
    const { fsyncs = 600, slow = 0, stuck = 0, commits = 600, slowCommits = 0, leaders = 0 } = doing;
    if (index === restarts) [startedAt, counted] = [startedAt + 60 * minute, [0, 0, 0, 0, 0, 0]];
    const rates = [fsyncs, slow + stuck, stuck, commits, slowCommits, leaders / minutes];
    counted = counted.map((count, at) => Math.round(count + (rates[at] ?? 0) * minutes));
    trend = followedMember(trend, { host, startedAt, counted, at: minute * MINUTE });
  });
  if (trend === undefined) throw new Error('no look');
  return trend;
}

describe("a member's disk", () => {
  it('is judged by what came since the checks before, not by all that it has been', () => {
    expect(slowDisk(memberAfter([[1]]))).toBeUndefined();
    expect(slowDisk(memberAfter([[1], [10], [10]]))).toBeUndefined();
  });

  it('is slow at once where an fsync takes longer than a second, over ten minutes', () => {
    expect(slowDisk(memberAfter([[1], [9, { stuck: 50 }]]))).toBeUndefined();
    expect(slowDisk(memberAfter([[1], [10, { stuck: 12 }]]))).toEqual({
      what: expect.stringContaining('fsync'),
      seconds: 1.024,
      percent: 2,
      over: 10,
    });
    expect(slowDisk(memberAfter([[1], [10, { stuck: 6 }]]))).toBeUndefined();
  });

  it.each([
    ['an fsync', { slow: 12 }, 0.512],
    ['a commit', { slowCommits: 12 }, 0.256],
  ])('that takes less long for %s is slow where it was in the ten minutes before, too', (what, doing, seconds) => {
    expect(slowDisk(memberAfter([[1], [10, doing]]))).toBeUndefined();
    expect(slowDisk(memberAfter([[1], [10, doing], [10]]))).toBeUndefined();
    expect(slowDisk(memberAfter([[1], [10, doing], [10, doing]]))).toMatchObject({
      what: expect.stringContaining(what),
      seconds,
    });
  });

  it('of which there is too little to go by is not judged', () => {
    expect(slowDisk(memberAfter([[1], [10, { fsyncs: 49, stuck: 20 }]]))).toBeUndefined();
    expect(slowDisk(memberAfter([[1], [10, { fsyncs: 50, stuck: 20 }]]))).toBeDefined();
  });

  it('of a member that was restarted is judged anew', () => {
    expect(slowDisk(memberAfter([[1], [10, { stuck: 50 }]], { restarts: 1 }))).toBeUndefined();
    expect(memberAfter([[1], [10], [10]], { restarts: 2 }).samples).toHaveLength(1);
  });

  it('is told however often checks come, and never where it was quick', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 60, max: 200 }), (every, minutes) => {
        const looks = (doing: Doing) =>
          Array.from({ length: Math.ceil(minutes / every) }, () => [every, doing] as [number, Doing]);
        expect(slowDisk(memberAfter([[1], ...looks({ slow: 12 })]))).toMatchObject({ seconds: 0.512 });
        expect(slowDisk(memberAfter([[1], ...looks({ slow: 5, slowCommits: 5, stuck: 0 })]))).toBeUndefined();
        expect(memberAfter([[1], ...looks({})]).samples.length).toBeLessThanOrEqual(4);
      }),
    );
  });
});

describe("etcd's leader", () => {
  const told = (...members: MemberTrend[]) =>
    leaderFindings(members).map(({ code, host, evidence }) => ({ code, host, evidence }));

  it('that changes four times in a quarter of an hour is told once, however many members have seen it', () => {
    const restless = (host: string, leaders: number) => memberAfter([[1], [15, { leaders }]], { host });
    expect(told(restless('cp-1', 3), restless('cp-2', 3))).toEqual([]);
    expect(told(restless('cp-1', 4), restless('cp-2', 5), restless('cp-3', 4))).toEqual([
      { code: 'KW667', host: null, evidence: expect.stringContaining('5 times in 15 min, as the member on cp-2') },
    ]);
  });

  it('that has changed as often over a longer time is none, and over a shorter one it is', () => {
    expect(told(memberAfter([[1], [60, { leaders: 15 }]]))).toEqual([]);
    expect(told(memberAfter([[1], [60, { leaders: 16 }]]))).toHaveLength(1);
    expect(told(memberAfter([[1], [2, { leaders: 4 }]]))).toHaveLength(1);
    expect(told(memberAfter([[1], [2, { leaders: 4 }], [5], [7]]))).toHaveLength(1);
    expect(told(memberAfter([[1], [2, { leaders: 4 }], [5], [30]]))).toEqual([]);
  });

  it('is not judged by what a member counted before it was restarted, nor by one look', () => {
    expect(told(memberAfter([[1, { leaders: 9 }]]))).toEqual([]);
    expect(told(memberAfter([[1], [15, { leaders: 9 }]], { restarts: 1 }))).toEqual([]);
    expect(leaderFindings([])).toEqual([]);
  });
});
