import type { HealthNews, HealthSchedule } from '../engine/index.js';
import type { HealthVerdict } from '../plan/findings.js';
import { OPERATIONS, type Operation } from '../plan/operations.js';
import type { HealthFinding } from '../plan/run.js';
import type { HealthReport } from '../workflows/types.js';
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
  { cluster, at, looks, findings, verdict, more = 0 }: HealthReport,
  theme: Theme,
  now: number,
): string {
  const when = `${utcMinute(at)} UTC, ${elapsed(now - at)} ago`;
  if (findings.length + more === 0) {
    return `${theme.paint(theme.symbols.done, 'good')} ${cluster} is healthy: ${plural(looks, 'look')} (${when})`;
  }
  const count = theme.paint(plural(findings.length + more, 'finding'), 'strong');
  return `${theme.paint(theme.symbols.failed, 'bad')} ${cluster} ${STATES[verdict]}: ${count} (${when})`;
}

const STATES: Record<HealthVerdict, string> = {
  ok: 'is healthy',
  degraded: 'is degraded',
  down: 'is down',
  unknown: 'could not be looked at',
};

/** A report in a line, for who asks something else. */
export function verdictLine({ at, verdict, findings, more = 0 }: HealthReport, now: number): string {
  const count = findings.length + more === 0 ? '' : `, ${plural(findings.length + more, 'finding')}`;
  return `Health: the cluster ${STATES[verdict]}${count} (${utcMinute(at)} UTC, ${elapsed(now - at)} ago; \`kubewright health\`).`;
}

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

function seenWhere({ host, evidence }: HealthFinding): string {
  return `${host === null ? '' : `${host}: `}${printable(withoutHost(evidence, host))}`;
}

function sinceWhen({ since }: HealthFinding, { at }: HealthReport): string {
  if (since === undefined) return '';
  return since >= at ? ' (new)' : ` (since ${utcMinute(since)} UTC)`;
}

/** Messages of hosts begin with the host. */
function withoutHost(evidence: string, host: string | null): string {
  return host !== null && evidence.startsWith(`${host}: `) ? evidence.slice(host.length + 2) : evidence;
}

/** What a person should know besides the latest report: that checks are left out, and that none come any more. */
export function newsLines({ heldBy, schedule, silentSince }: HealthNews, file: string): string[] {
  const since = silentSince === undefined ? '' : `${utcMinute(silentSince)} UTC`;
  return [
    ...(heldBy === undefined
      ? []
      : [
          `Scheduled checks are left out while ${nounOf(heldBy.operation)} holds the cluster (${heldBy.workflowId}, since ${utcMinute(heldBy.since)} UTC).`,
        ]),
    ...(schedule === undefined || silentSince === undefined
      ? []
      : [
          `No check has ended since ${since}, and one is due every ${often(schedule.everyMs)}: no worker takes them, or the server has lost the schedule.`,
          `\`kubewright health schedule ${file} --every ${optionOf(schedule.everyMs)}\` brings a worker and makes the schedule anew.`,
        ]),
  ];
}

export function scheduleLine({ cluster, everyMs, paused, nextAt }: HealthSchedule): string {
  const next = paused ? 'paused' : nextAt === undefined ? 'no check is due' : `next ${utcMinute(nextAt)} UTC`;
  return `${cluster}: every ${often(everyMs)}, ${next}`;
}

/** "5 m", "15 s". */
function often(everyMs: number): string {
  return duration(everyMs)
    .replace(/\.0 s$/, ' s')
    .replace(/ 00 [sm]$/, '');
}

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
