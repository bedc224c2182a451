import { isBlind } from './findings.js';
import { FINDINGS_NAMED, type HealthFinding } from './run.js';
import { keyOf } from './since.js';

/** What looks have come to, all together. */
export interface Seen {
  findings: readonly HealthFinding[];
  /** How many more there were than are named. */
  more: number;
}

/** What two looks came to. */
export interface SeenTwice {
  findings: HealthFinding[];
  /** How many more there were than are named. */
  more: number;
  /** How many findings of the first look the second one did not see. */
  fleeting: number;
}

/**
 * What is told of looks that were taken again: what the second one has seen. What is gone by then was seen once only, and so was trouble
 * on another host, which the next check tells if it stays. Pure. Where the second look could not see, the first one stands: that
 * nobody could be asked is never a no.
 *
 * @param first all looks
 * @param again by the id of the look; those that were not taken again, or failed, are missing
 * @param failed ids of looks that came to no end the first time
 */
export function seenTwice(first: Seen, again: ReadonlyMap<string, Seen>, failed: readonly string[]): SeenTwice {
  const seeing = new Map([...again].filter(([, { findings }]) => !findings.some(isBlind)));
  const told = first.findings.filter(({ look = '' }) => !seeing.has(look));
  // Looks that failed have told one thing each, and those of the planning have no look.
  const isAllNew = told.every(({ look = '' }) => look === '' || failed.includes(look));
  let fleeting = 0;
  for (const [look, second] of seeing) {
    const before = first.findings.filter((finding) => finding.look === look);
    const now = new Set(second.findings.map(keyOf));
    told.push(...second.findings.filter(isToldOf(before, first.more)).map((finding) => ({ ...finding, look })));
    fleeting += before.filter((finding) => !now.has(keyOf(finding))).length;
  }
  // How many a look did not name is known of the second looks alone: where they are all that counts, theirs do.
  const countsAnew = isAllNew && first.findings.length < FINDINGS_NAMED;
  const unnamed = [...seeing.values()].reduce((sum, { more }) => sum + more, 0);
  return { findings: told, more: countsAnew ? unnamed : Math.max(first.more, unnamed), fleeting };
}

/** Where the first look could not see, or did not name all that it saw, nobody knows what is new. */
function isToldOf(before: readonly HealthFinding[], more: number): (finding: HealthFinding) => boolean {
  const hosts = new Set(before.map(({ host }) => host));
  const isKnown = more === 0 && !before.some(isBlind);
  return ({ host }) => !isKnown || host === null || hosts.has(host);
}
