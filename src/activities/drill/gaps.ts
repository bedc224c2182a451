import { type DrillGap, PROBE_KINDS, type ProbeKind } from '../../plan/drill-report.js';

/** One question; times in milliseconds since the epoch. */
export interface Sample {
  at: number;
  /** When the answer was there, or the question was given up. */
  endedAt: number;
  ok: boolean;
}

/** A time without an answer, in milliseconds since the epoch. */
export interface Silence {
  from: number;
  to: number;
}

/**
 * The times between the arrival of one answer and the next, and behind the last one up to the end of the last question. Counts what
 * hung and was answered in the end as well. Pure.
 *
 * @param samples in any order
 */
export function silences(samples: readonly Sample[]): Silence[] {
  const arrivals = samples
    .filter(({ ok }) => ok)
    .map(({ endedAt }) => endedAt)
    .sort((a, b) => a - b);
  const end = endOf(samples);
  return arrivals.map((from, index) => ({ from, to: arrivals[index + 1] ?? Math.max(end, from) }));
}

/** When the last question was over: one that was asked before it may have hung for longer, which says nothing of the end. */
function endOf(samples: readonly Sample[]): number {
  const last = samples.reduce<Sample | undefined>(
    (one, each) => (one === undefined || each.at >= one.at ? each : one),
    undefined,
  );
  return last?.endedAt ?? 0;
}

export const lengthOf = ({ from, to }: Silence): number => to - from;

/** The longest of them; undefined of none. The first one of several. */
export function longest(all: readonly Silence[]): Silence | undefined {
  return all.reduce<Silence | undefined>(
    (most, each) => (most === undefined || lengthOf(each) > lengthOf(most) ? each : most),
    undefined,
  );
}

/** With ten questions a second, a few late ones are none. */
const OUTAGE_MS = 500;
/** What is drawn. */
const OUTAGES_KEPT = 8;

/**
 * What one kind of question saw of a break. Pure.
 *
 * @param samples in any order
 * @param brokenAt milliseconds since the epoch, by the clock of the samples
 */
export function gapOf(kind: ProbeKind, samples: readonly Sample[], brokenAt: number): DrillGap {
  const all = silences(samples);
  const after = all.filter(({ to }) => to >= brokenAt);
  // Never answered at all is the longest gap that there can be.
  const first = Math.min(...samples.map(({ at }) => at), brokenAt);
  const end = Math.max(endOf(samples), brokenAt);
  const gap = longest(after) ?? { from: first, to: end };
  const before = longest(all.filter(({ to }) => to < brokenAt));
  const outages = after
    .filter((each) => lengthOf(each) >= OUTAGE_MS)
    .sort((a, b) => lengthOf(b) - lengthOf(a))
    .slice(0, OUTAGES_KEPT)
    .sort((a, b) => a.from - b.from);
  // Before it the account may not have had its rights yet.
  const asked = samples.filter(({ endedAt }) => endedAt >= brokenAt);
  const answered = asked.filter(({ ok }) => ok).length;
  return {
    kind,
    gapMs: lengthOf(gap),
    atMs: gap.from - brokenAt,
    beforeMs: before === undefined ? 0 : lengthOf(before),
    answered,
    failed: asked.length - answered,
    perSecond: rateOf(samples),
    outages: outages.map(({ from, to }) => ({ fromMs: from - brokenAt, toMs: to - brokenAt })),
  };
}

/** Questions in a second, to one decimal. */
function rateOf(samples: readonly Sample[]): number {
  const times = samples.map(({ at }) => at);
  const lasted = Math.max(...times) - Math.min(...times);
  return samples.length < 2 || lasted <= 0 ? 0 : Math.round((10_000 * (samples.length - 1)) / lasted) / 10;
}

/** The kinds whose latest `count` questions, all begun behind `since`, were not all answered. Pure. */
export function unsteadyKinds(
  samples: ReadonlyMap<ProbeKind, readonly Sample[]>,
  count: number,
  since: number,
): ProbeKind[] {
  return PROBE_KINDS.filter((kind) => !isSteady(samples.get(kind) ?? [], count, since));
}

/** Whether the latest `count` questions of a kind, all begun behind `since`, were answered. */
export function isSteady(samples: readonly Sample[], count: number, since: number): boolean {
  const last = [...samples]
    .sort((a, b) => a.at - b.at)
    .slice(-count)
    .filter(({ at, ok }) => ok && at >= since);
  return last.length === count;
}
