import type { HealthSchedule } from '../engine/index.js';
import type { HealthReport } from '../workflows/types.js';
import { duration, elapsed, plural, printable, utcMinute } from './text.js';
import type { Theme } from './theme.js';

/** A report for people: one line on the whole, then each finding with what to do about it. */
export function healthLines(report: HealthReport, theme: Theme, now: number): string[] {
  const { cluster, at, looks, findings, more = 0 } = report;
  const when = `${utcMinute(at)} UTC, ${elapsed(now - at)} ago`;
  if (findings.length === 0) {
    return [`${theme.paint(theme.symbols.done, 'good')} ${cluster} is healthy: ${plural(looks, 'look')} (${when})`];
  }
  const count = plural(findings.length + more, 'finding');
  return [
    `${theme.paint(theme.symbols.failed, 'bad')} ${cluster}: ${theme.paint(count, 'strong')} (${when})`,
    ...findings.flatMap(({ code, host, evidence, hint }) => [
      `  ${theme.paint(code, 'bad')} ${host === null ? '' : `${host}: `}${printable(withoutHost(evidence, host))}`,
      ...(hint === '' ? [] : [`        ${printable(hint)}`]),
    ]),
    ...(more === 0 ? [] : [`  and ${more} more`]),
  ];
}

/** Messages of hosts begin with the host. */
function withoutHost(evidence: string, host: string | null): string {
  return host !== null && evidence.startsWith(`${host}: `) ? evidence.slice(host.length + 2) : evidence;
}

export function scheduleLine({ cluster, everyMs, paused, nextAt }: HealthSchedule): string {
  const next = paused ? 'paused' : nextAt === undefined ? 'no check is due' : `next ${utcMinute(nextAt)} UTC`;
  return `${cluster}: every ${duration(everyMs)
    .replace(/\.0 s$/, ' s')
    .replace(/ 00 [sm]$/, '')}, ${next}`;
}
