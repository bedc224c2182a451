import { type DrillReport, type DrillTimes, PROBE_KINDS, type ScenarioReport } from '../plan/drill-report.js';
import { duration, elapsed, pad, plural, printable, utcMinute } from './text.js';
import type { Theme } from './theme.js';

/** What stands above each column, and what is in it. */
const TIMES: [title: string, key: keyof DrillTimes][] = [
  ['left', 'left'],
  ['back', 'returned'],
  ['NotReady', 'notReady'],
  ['pods moved', 'moved'],
  ['put back', 'restored'],
  ['whole', 'healthy'],
];

const NOTHING = '-';

/** A drill for people: a table of what was measured, then what was not and what went wrong. */
export function drillLines(report: DrillReport, theme: Theme, now: number): string[] {
  const { left = [], problems = [] } = report;
  return [
    headline(report, theme, now),
    ...(report.scenarios.length === 0 ? [] : table(report.scenarios)),
    ...left.map(
      ({ scenario, why }) => `  ${theme.paint(theme.symbols.skipped, 'warn')} ${scenario}: ${printable(why)}`,
    ),
    ...problems.flatMap(({ step, code, message, hint }) => [
      `  ${theme.paint(code, 'bad')} ${step}: ${printable(message)}`,
      ...(hint === '' ? [] : [`        ${printable(hint)}`]),
    ]),
  ];
}

function headline(
  { cluster, at, scenarios, problems = [], left = [] }: DrillReport,
  theme: Theme,
  now: number,
): string {
  const isWell = problems.length + left.length === 0;
  const sign = isWell ? theme.paint(theme.symbols.done, 'good') : theme.paint(theme.symbols.failed, 'bad');
  const when = `${utcMinute(at)} UTC, ${elapsed(Math.max(0, now - at))} ago`;
  const wrong = problems.length === 0 ? '' : `, ${plural(problems.length, 'problem')}`;
  return `${sign} ${cluster} was drilled: ${plural(scenarios.length, 'scenario')} measured${wrong} (${when})`;
}

/** What was measured, as a table: a row for each scenario, a column for each time that any of them has. Pure. */
export function drillTable(scenarios: readonly ScenarioReport[]): { head: string[]; rows: string[][] } {
  const times = TIMES.filter(([, key]) => scenarios.some((each) => each.times[key] !== undefined));
  const head = ['', 'struck', ...PROBE_KINDS.map((kind) => `${kind}, ms`), ...times.map(([title]) => title)];
  const rows = scenarios.map((each) => [
    each.scenario,
    each.victim,
    ...PROBE_KINDS.map((kind) => String(each.gaps.find((gap) => gap.kind === kind)?.gapMs ?? NOTHING)),
    ...times.map(([, key]) => {
      const time = each.times[key];
      return time === undefined ? NOTHING : duration(time);
    }),
  ]);
  return { head, rows };
}

/** What the columns of the table are in. */
export const UNITS =
  'ms: the longest time without an answer, asked ten times a second from outside. Times: after the break.';

function table(scenarios: readonly ScenarioReport[]): string[] {
  const { head, rows } = drillTable(scenarios);
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: string[]): string =>
    `  ${cells.map((cell, column) => (column < 2 ? pad(cell, widths[column] ?? 0) : cell.padStart(widths[column] ?? 0))).join('  ')}`;
  return [line(head).trimEnd(), ...rows.map((row) => line(row).trimEnd()), `  ${UNITS}`];
}

/** The kind of question that went longest without an answer, in all scenarios; undefined where nothing was measured. Pure. */
export function longestGap({ scenarios }: Pick<DrillReport, 'scenarios'>) {
  const all = scenarios.flatMap(({ scenario, gaps }) => gaps.map(({ kind, gapMs }) => ({ scenario, kind, gapMs })));
  return all.sort((a, b) => b.gapMs - a.gapMs)[0];
}

/** A drill in a line, for lists and for who asks something else. */
export function drillLine(report: DrillReport, now: number): string {
  const ago = `${elapsed(Math.max(0, now - report.at))} ago`;
  return `Drill: ${measuredIn(report)} (${utcMinute(report.at)} UTC, ${ago}; \`kubewright drill history\`).`;
}

/** The same where the time goes on by itself: "2026-03-02 09:30 UTC: 2 scenarios measured; longest gap …". */
export function drillInShort(report: DrillReport): string {
  return `${utcMinute(report.at)} UTC: ${measuredIn(report)}`;
}

function measuredIn(report: DrillReport): string {
  const { scenarios, problems = [] } = report;
  const longest = longestGap(report);
  const gap = longest === undefined ? '' : `; longest gap ${longest.gapMs} ms (${longest.kind}, ${longest.scenario})`;
  const wrong = problems.length === 0 ? '' : `; ${plural(problems.length, 'problem')}`;
  return `${plural(scenarios.length, 'scenario')} measured${gap}${wrong}`;
}
