import { type HealthVerdict, isAside } from './findings.js';
import type { HealthFinding } from './run.js';
import { keyOf } from './since.js';
import type { HealthEvent, Judged, Told } from './told.js';

/** What a channel is told: small, whatever the size of the cluster. */
export interface VerdictNews {
  /** The same each time that it is told: an answer that was lost means that it comes again. */
  id: string;
  event: HealthEvent;
  cluster: string;
  /** When the check ended, milliseconds since the epoch. */
  at: number;
  verdict: HealthVerdict;
  /** The verdict that the channel was told last; null where it was told none. */
  previous: HealthVerdict | null;
  /** When it was told that, milliseconds since the epoch; null where it was told none. */
  previousAt: number | null;
  /** What is wrong: the first of them, shortened. */
  findings: HealthFinding[];
  /** How many more there are. */
  more: number;
  /** What the check before has found, and this one has not: the first of them. */
  over: Pick<HealthFinding, 'code' | 'host'>[];
}

/** Findings that are told: with all of their texts they stay below what chat programs take (16,383 characters). */
const NAMED = 20;

/** Longest evidence and longest hint that are told. */
const TEXT = 300;

/** A check, for the message on it. */
export interface Checked extends Judged {
  cluster: string;
}

/**
 * What a channel is told of a report. Pure.
 *
 * @param before what the check before has found
 */
export function newsOf(
  report: Checked,
  { id, event, told, before }: { id: string; event: HealthEvent; told?: Told; before: readonly Found[] },
): VerdictNews {
  const about = report.findings.filter((finding) => !isAside(finding));
  const present = new Set(about.map(keyOf));
  const gone = new Map(
    before.filter((finding) => !isAside(finding) && !present.has(keyOf(finding))).map((each) => [keyOf(each), each]),
  );
  return {
    id,
    event,
    cluster: report.cluster,
    at: report.at,
    verdict: report.verdict,
    previous: told?.verdict ?? null,
    previousAt: told?.at ?? null,
    findings: about.slice(0, NAMED).map(shortened),
    more: Math.max(0, about.length - NAMED) + (report.more ?? 0),
    over: [...gone.values()].slice(0, NAMED).map(({ code, host }) => ({ code, host })),
  };
}

type Found = Pick<HealthFinding, 'code' | 'host'>;

function shortened({ code, host, evidence, hint, since }: HealthFinding): HealthFinding {
  const told = { code, host, evidence: cut(evidence), hint: cut(hint) };
  return since === undefined ? told : { ...told, since };
}

function cut(text: string): string {
  return text.length <= TEXT ? text : `${text.slice(0, TEXT - 1)}…`;
}
