import type { HealthChannel, HealthSettings } from '../cluster/health/settings.js';
import { componentOf, type HealthVerdict, isAside, isBlind } from './findings.js';
import type { HealthFinding } from './run.js';

/** What a channel was told last. */
export interface Told {
  /** When, milliseconds since the epoch: the end of that check. */
  at: number;
  /** The verdict that it was told. */
  verdict: HealthVerdict;
  /** Which findings came with it, a digest for each: enough to tell what is new. */
  found: string[];
}

/** What each channel was told last, or knows without having been told: a cluster that was well from the beginning. */
export interface ToldChannels {
  /** The webhook; missing where it was told nothing yet, as are the others. */
  webhook?: Told;
  /** Those who get mails. */
  mail?: Told;
  /** The program on the worker's machine. */
  command?: Told;
}

/** Why a channel is told: the verdict is another or something new is wrong, nothing is any more, or something still is. */
export type HealthEvent = 'changed' | 'recovered' | 'reminder';

/** As much of a report as is compared. */
export interface Judged {
  at: number;
  verdict: HealthVerdict;
  findings: readonly HealthFinding[];
  /** How many more findings there were than are named. */
  more?: number;
}

/** What is wrong for that long, with nothing new in it, is told once more. */
const REMIND_MS = 24 * 60 * 60_000;

/**
 * As many findings are told apart by their hosts; of more the codes alone count. What was told stands in the memo of each check, and
 * lists of checks have hundreds of those.
 */
const TOLD_APART = 40;

/** The channels that a cluster's file names. */
export function channelsOf(health: HealthSettings | undefined): HealthChannel[] {
  const named = Object.entries(health?.notify ?? {}).filter(([, settings]) => settings !== null);
  return named.map(([channel]) => channel as HealthChannel);
}

/**
 * Why a channel is told of a report; undefined where it knows already, or where a cluster is well at its first check. Pure. That one
 * of several findings is gone is no event by itself: what comes and goes would be one with every check.
 *
 * @param told what it was told last; undefined where it was told nothing yet
 */
export function eventFor(report: Judged, told: Told | undefined): HealthEvent | undefined {
  const isWell = report.verdict === 'ok';
  if (told === undefined) return isWell ? undefined : 'changed';
  if (told.verdict !== report.verdict) return isWell ? 'recovered' : 'changed';
  if (isWell) return undefined;
  if (foundIn(report).some((each) => !told.found.includes(each))) return 'changed';
  return report.at - told.at >= REMIND_MS ? 'reminder' : undefined;
}

/** What a channel knows that was told of a report. */
export function toldOf(report: Judged): Told {
  return { at: report.at, verdict: report.verdict, found: foundIn(report) };
}

/**
 * Findings are the same where code and host are, whatever their evidence says. What could not be seen is one thing for each part of
 * the cluster and host, for a connection fails now in this way, now in that.
 */
function foundIn({ findings, more = 0 }: Pick<Judged, 'findings' | 'more'>): string[] {
  const about = findings.filter((finding) => !isAside(finding));
  const isLarge = more > 0 || about.length > TOLD_APART;
  const keys = about.map((finding) => {
    const what = isBlind(finding) ? `unseen ${componentOf(finding)}` : finding.code;
    return isLarge ? what : `${what} ${finding.host ?? ''}`;
  });
  return [...new Set(keys)].sort().map(digest);
}

/** FNV-1a of 32 bits: it only tells one finding from some others, and workflow code has no library for it. */
function digest(text: string): string {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  return (hash >>> 0).toString(16).padStart(8, '0');
}
