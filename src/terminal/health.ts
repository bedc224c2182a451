import type { HealthNews, HealthSchedule } from '../engine/index.js';
import type { HealthVerdict } from '../plan/findings.js';
import { OPERATIONS, type Operation } from '../plan/operations.js';
import type { HealthFinding } from '../plan/run.js';
import type { HealthReport } from '../workflows/reports.js';
import { duration, elapsed, plural, printable, utcMinute } from './text.js';
import type { Theme } from './theme.js';

/** A report for people: one line on the whole, then each finding with what to do about it. */
export function healthLines(report: HealthReport, theme: Theme, now: number): string[] {
  const { findings, more = 0 } = report;
  return [
    headline(report, theme, now),
    ...findings.flatMap((finding) => [
      `  ${theme.paint(finding.code, 'bad')} ${seenWhere(finding)}${sinceWhen(finding, report)}`,
      ...(finding.hint === '' ? [] : [`        ${printable(finding.hint)}`]),
    ]),
    ...(more === 0 ? [] : [`  and ${more} more`]),
    ...remarks(report),
  ];
}

function headline(
  { cluster, at, deepAt, looks, findings, verdict, more = 0 }: HealthReport,
  theme: Theme,
  now: number,
): string {
  const pods = deepAt === undefined ? '' : `; quick, pods were asked ${elapsed(now - deepAt)} ago`;
  const when = `${utcMinute(at)} UTC, ${elapsed(now - at)} ago${pods}`;
  if (verdict === 'ok') {
    const asides = findings.length === 0 ? '' : `, ${plural(findings.length, 'remark')}`;
    return `${theme.paint(theme.symbols.done, 'good')} ${cluster} is healthy: ${plural(looks, 'look')}${asides} (${when})`;
  }
  const count = theme.paint(plural(findings.length + more, 'finding'), 'strong');
  return `${theme.paint(theme.symbols.failed, 'bad')} ${cluster} ${VERDICT_WORDS[verdict]}: ${count} (${when})`;
}

/** "the cluster is degraded". */
export const VERDICT_WORDS: Readonly<Record<HealthVerdict, string>> = {
  ok: 'is healthy',
  degraded: 'is degraded',
  down: 'is down',
  unknown: 'could not be looked at',
};

/** What a person should know of a report besides its findings. */
function remarks({ fleeting = 0, during }: HealthReport): string[] {
  const [what, it] = fleeting === 1 ? ['1 finding was', 'it'] : [`${fleeting} findings were`, 'them'];
  return [
    ...(fleeting === 0 ? [] : [`  ${what} seen once only: a second look some seconds later did not see ${it}`]),
    ...(during === undefined
      ? []
      : [`  ${nounOf(during.operation)} was under way meanwhile: what was found may be its doing`]),
  ];
}

/** "an install", "a key rotation". */
export function nounOf(operation: Operation): string {
  const { noun } = OPERATIONS[operation].words;
  return `${/^[aeiou]/.test(noun) ? 'an' : 'a'} ${noun}`;
}

/** "w-1: it is not Ready". */
export function seenWhere({ host, evidence }: HealthFinding): string {
  return `${host === null ? '' : `${host}: `}${printable(withoutHost(evidence, host))}`;
}

/** " (new)", or since when, and when a quick check did not look itself; nothing where the report does not say. */
export function sinceWhen({ since, seenAt }: HealthFinding, { at }: Pick<HealthReport, 'at'>): string {
  if (since === undefined) return '';
  if (seenAt !== undefined) return ` (since ${utcMinute(since)} UTC, not looked at since ${utcMinute(seenAt)} UTC)`;
  return since >= at ? ' (new)' : ` (since ${utcMinute(since)} UTC)`;
}

/** Messages of hosts begin with the host. */
function withoutHost(evidence: string, host: string | null): string {
  return host !== null && evidence.startsWith(`${host}: `) ? evidence.slice(host.length + 2) : evidence;
}

/** What a person should know besides the latest report: that checks are left out, that none come any more, and what is not known. */
export function newsLines({ heldBy, schedule, unread, ...silence }: HealthNews, file: string): string[] {
  return [
    ...(heldBy === undefined
      ? []
      : [
          `Scheduled checks are left out while ${nounOf(heldBy.operation)} holds the cluster (${heldBy.workflowId}, since ${utcMinute(heldBy.since)} UTC).`,
        ]),
    ...silenceOf(schedule, silence, file),
    ...(unread?.schedule === undefined
      ? []
      : [`Whether checks are scheduled, and still come, is not known: ${printable(unread.schedule)}.`]),
  ];
}

/** That a schedule says nothing any more, and what to do about it, in sentences; none where it still does. */
export function silenceOf(
  schedule: Pick<HealthSchedule, 'everyMs' | 'quick'> | undefined,
  { silentSince, silentDepth }: Pick<HealthNews, 'silentSince' | 'silentDepth'>,
  file: string,
): string[] {
  if (schedule === undefined || silentSince === undefined) return [];
  const { everyMs, quick } = schedule;
  const kind = silentDepth === 'deep' ? 'deep check' : 'check';
  const due =
    silentDepth === 'quick'
      ? `a quick one is due every ${often(quick?.everyMs ?? everyMs)}`
      : `one is due every ${often(everyMs)}`;
  const options = `--every ${optionOf(everyMs)}${quick === undefined ? '' : ` --quick-every ${optionOf(quick.everyMs)}`}`;
  return [
    `No ${kind} has ended since ${utcMinute(silentSince)} UTC, and ${due}: no worker takes them, or the server has lost the schedule.`,
    `\`kubewright health schedule ${file} ${options}\` brings a worker and makes the schedule anew.`,
    'With the embedded server, `kubewright server install-service` keeps server and worker running without a terminal.',
  ];
}

export function scheduleLine(schedule: HealthSchedule): string {
  return `${schedule.cluster}: ${rhythm(schedule)}`;
}

/** "every 5 m, next 2026-03-02 09:35 UTC", "deep every 1 h, quick every 1 m, next …". */
export function rhythm({
  everyMs,
  paused,
  nextAt,
  quick,
}: Pick<HealthSchedule, 'everyMs' | 'paused' | 'nextAt' | 'quick'>): string {
  const times =
    quick === undefined
      ? `every ${often(everyMs)}`
      : `deep every ${often(everyMs)}, quick every ${often(quick.everyMs)}`;
  const due = [nextAt, quick?.nextAt].filter((time) => time !== undefined);
  const next = paused ? 'paused' : due.length === 0 ? 'no check is due' : `next ${utcMinute(Math.min(...due))} UTC`;
  return `${times}, ${next}`;
}

/** "5 m", "15 s", "30 d". */
export function often(everyMs: number): string {
  if (everyMs % DAY_MS === 0) return `${everyMs / DAY_MS} d`;
  return duration(everyMs)
    .replace(/\.0 s$/, ' s')
    .replace(/ 00 [sm]$/, '');
}

const DAY_MS = 86_400_000;

/** As `--every` takes it: "1h30m". */
function optionOf(everyMs: number): string {
  const seconds = Math.round(everyMs / 1000);
  const parts = [
    [Math.floor(seconds / 3_600), 'h'],
    [Math.floor(seconds / 60) % 60, 'm'],
    [seconds % 60, 's'],
  ];
  return parts.flatMap(([count, unit]) => (count === 0 ? [] : [`${count}${unit}`])).join('');
}
