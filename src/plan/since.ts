import type { HealthFinding } from './run.js';

/** A finding of the check before: what tells it from others, and since when it was found. */
export type KnownFinding = Pick<HealthFinding, 'code' | 'host' | 'evidence'> & { since: number };

/**
 * Says of each finding since when it was found: since the check before, where that one found it too. Pure. What is wrong is told
 * by code and host. Where a host has several of one code, what was seen decides, whatever its figures are by now.
 *
 * @param now milliseconds since the epoch, for what is new
 */
export function withSince(
  findings: readonly HealthFinding[],
  before: readonly KnownFinding[],
  now: number,
): (HealthFinding & { since: number })[] {
  const here = groupsOf(findings);
  const there = groupsOf(before);
  return findings.map((finding) => {
    const [present, known] = [here.get(keyOf(finding)) ?? [], there.get(keyOf(finding)) ?? []];
    const isOnlyOne = present.length === 1 && known.length === 1;
    const [same] = isOnlyOne ? known : known.filter((each) => subjectOf(each) === subjectOf(finding));
    return { ...finding, since: Math.min(same?.since ?? now, now) };
  });
}

/** Whether two looks have found the same on the same host. */
export function keyOf({ code, host }: Pick<HealthFinding, 'code' | 'host'>): string {
  return `${code} ${host ?? ''}`;
}

function groupsOf<T extends Pick<HealthFinding, 'code' | 'host'>>(all: readonly T[]): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const each of all) groups.set(keyOf(each), [...(groups.get(keyOf(each)) ?? []), each]);
  return groups;
}

/** Figures change from check to check. Those of a name, a path or an address are no figures: `w-1`, `/dev/sda1`, `10.0.0.1`. */
const FIGURES = /(?<![\w./:-])\d+(?:\.\d+)?(?![\w/:-]|\.\d)/g;

/** Long enough to tell one from another. */
export const EVIDENCE_KEPT = 200;

function subjectOf({ evidence }: Pick<HealthFinding, 'evidence'>): string {
  return evidence.slice(0, EVIDENCE_KEPT).replace(FIGURES, '#');
}
