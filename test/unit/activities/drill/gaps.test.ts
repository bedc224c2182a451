import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { gapOf, isSteady, type Sample, silences } from '../../../../src/activities/drill/gaps.js';

/** Asked at `at`, answered `took` later. */
const sample = (at: number, took = 10, ok = true): Sample => ({ at, endedAt: at + took, ok });
/** One every 100 ms. */
const row = (from: number, to: number, ok = true): Sample[] =>
  Array.from({ length: Math.round((to - from) / 100) }, (_, index) => sample(from + index * 100, 10, ok));

describe('the gap of a kind of question', () => {
  it('is the longest time between two answers from the moment before the break on', () => {
    const samples = [...row(0, 5_000), ...row(5_000, 6_200, false), ...row(6_200, 9_000)];
    expect(gapOf('read', samples, 5_000)).toEqual({
      kind: 'read',
      gapMs: 1_300,
      atMs: -90,
      beforeMs: 100,
      answered: 28,
      failed: 12,
      perSecond: 10,
      outages: [{ fromMs: -90, toMs: 1_210 }],
    });
  });

  it('counts what hung and was answered in the end', () => {
    const samples = [...row(0, 1_000), sample(1_000, 1_500), sample(1_100, 1_400), ...row(2_600, 4_000)];
    expect(gapOf('write', samples, 1_000)).toMatchObject({ gapMs: 1_590, failed: 0 });
  });

  it('keeps apart what was slow before anything was broken', () => {
    const samples = [...row(0, 500), ...row(2_000, 5_000)];
    expect(gapOf('dns', samples, 3_000)).toMatchObject({ beforeMs: 1_600, gapMs: 100, outages: [] });
  });

  it('lasts to the end where nothing was answered any more, and all the time where nothing ever was', () => {
    expect(gapOf('read', [...row(0, 1_000), ...row(1_000, 3_000, false)], 1_000).gapMs).toBe(2_000);
    expect(gapOf('read', row(0, 3_000, false), 1_000)).toMatchObject({ gapMs: 2_910, answered: 0, failed: 20 });
  });

  it('is told as well where nothing was asked', () => {
    expect(gapOf('dns', [], 1_000)).toMatchObject({ gapMs: 0, answered: 0, failed: 0, perSecond: 0, outages: [] });
  });

  it('has the eight longest outages of half a second and more, in their order', () => {
    const samples = Array.from({ length: 12 }, (_, index) => sample(index * 1_000 + (index % 2) * 100));
    const { outages } = gapOf('read', samples, 0);
    expect(outages).toHaveLength(8);
    expect(outages.map(({ fromMs }) => fromMs)).toEqual(outages.map(({ fromMs }) => fromMs).sort((a, b) => a - b));
  });
});

const anySample = fc
  .record({ at: fc.integer({ min: 0, max: 60_000 }), took: fc.integer({ min: 1, max: 2_000 }), ok: fc.boolean() })
  .map(({ at, took, ok }) => sample(at, took, ok));
const anySamples = fc.array(anySample, { minLength: 1, maxLength: 200 });

describe('whatever was seen', () => {
  it('the gap does not depend on the order in which it was written down', () => {
    fc.assert(
      fc.property(
        anySamples.chain((samples) =>
          fc.tuple(fc.constant(samples), fc.shuffledSubarray(samples, { minLength: samples.length })),
        ),
        fc.integer({ min: 0, max: 60_000 }),
        ([samples, shuffled], broken) => {
          // Of questions that were asked in the same moment any may be the last one.
          fc.pre(new Set(samples.map(({ at }) => at)).size === samples.length);
          expect(gapOf('read', shuffled, broken)).toEqual(gapOf('read', samples, broken));
        },
      ),
    );
  });

  it('one more answer makes no gap longer, and no silence overlaps another', () => {
    fc.assert(
      fc.property(anySamples, anySample, fc.integer({ min: 0, max: 60_000 }), (samples, more, broken) => {
        const last = Math.max(...samples.map(({ at }) => at));
        fc.pre(samples.some(({ ok }) => ok) && more.at < last);
        // Never answered before it, the time to its own end is what it adds.
        const first = Math.min(...samples.filter(({ ok }) => ok).map(({ endedAt }) => endedAt));
        const all = silences(samples);
        // One that came behind all others tells of a time of which nothing was known.
        const end = all.at(-1)?.to ?? 0;
        fc.pre(more.endedAt > first && more.endedAt <= end && broken <= end);
        const before = gapOf('read', samples, broken).gapMs;
        expect(gapOf('read', [...samples, { ...more, ok: true }], broken).gapMs).toBeLessThanOrEqual(before);
        for (const [index, { from, to }] of all.entries()) {
          expect(to).toBeGreaterThanOrEqual(from);
          expect(all[index + 1]?.from ?? to).toBe(to);
        }
      }),
    );
  });

  it('answered and failed are all that was asked behind the break, and no outage is longer than the gap', () => {
    fc.assert(
      fc.property(anySamples, fc.integer({ min: 0, max: 60_000 }), (samples, broken) => {
        const { answered, failed, gapMs, outages } = gapOf('write', samples, broken);
        expect(answered + failed).toBe(samples.filter(({ endedAt }) => endedAt >= broken).length);
        for (const { fromMs, toMs } of outages) expect(toMs - fromMs).toBeLessThanOrEqual(gapMs);
      }),
    );
  });
});

describe('answers are steady', () => {
  it('when the latest ones, all asked behind a moment, were answered', () => {
    expect(isSteady(row(0, 3_000), 30, 0)).toBe(true);
    expect(isSteady(row(0, 3_000), 31, 0)).toBe(false);
    expect(isSteady(row(0, 3_000), 30, 100)).toBe(false);
    expect(isSteady([...row(0, 3_000), sample(3_000, 10, false)], 30, 0)).toBe(false);
    expect(isSteady([sample(0, 10, false), ...row(100, 3_100)], 30, 0)).toBe(true);
  });
});
