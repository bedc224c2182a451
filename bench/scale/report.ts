import { type HistorySize, LIMITS } from './histories.js';
import type { FaultFigures, InstallFigures, SilentFigures } from './runs.js';

/** All that one bench measured. Stories are told by its largest cluster. */
export interface Report {
  installs: Map<number, InstallFigures>;
  recovery?: number;
  fault?: FaultFigures;
  silent?: SilentFigures & { hosts: number; silent: number };
}

type Row = string[];

/** The table, as lines of Markdown: a column for each size, then what the project wants, or a quarter of Temporal's limits. */
export function tableOf({ installs, recovery, fault, silent }: Report): string {
  const sizes = [...installs.keys()];
  const figures = [...installs.values()];
  const smallest = figures[0]?.seconds ?? 1;
  const each = (what: string, value: (figure: InstallFigures) => string, goal: string): Row => [
    what,
    ...figures.map(value),
    goal,
  ];
  const last = (what: string, value: string, goal: string): Row => [
    what,
    ...sizes.map((_, index) => (index === sizes.length - 1 ? value : '')),
    goal,
  ];
  const rows: Row[] = [
    each('install', ({ seconds }) => `${seconds.toFixed(0)} s`, ''),
    each(`against ${sizes[0]} hosts`, ({ seconds }) => `${(seconds / smallest).toFixed(2)} ×`, '≤ 4 ×'),
    ...historyRows(
      'root',
      figures.map(({ root }) => root),
    ),
    ...historyRows(
      'largest group',
      figures.map(({ groups }) => groups),
    ),
    each("worker's memory at most", ({ memory }) => `${memory.toFixed(0)} MiB`, '≤ 1024 MiB'),
    each('event-loop delay, p99 of the worst 5 s', ({ delay }) => `${delay.toFixed(0)} ms`, '≤ 500 ms'),
    each('deep health check (median of 3)', ({ checks }) => `${checks.deep.toFixed(1)} s`, '≤ 20 s for 300 hosts'),
    each('quick health check (median of 3)', ({ checks }) => `${checks.quick.toFixed(1)} s`, ''),
    each('status in the middle (median of 3)', ({ status }) => `${status.toFixed(1)} s`, '≤ 2 s'),
  ];
  if (recovery !== undefined)
    rows.push(last('worker killed: next step done after', `${recovery.toFixed(1)} s`, '≤ 30 s'));
  if (fault !== undefined) rows.push(...faultRows(fault, last));
  if (silent !== undefined) rows.push(...silentRows(silent, last));
  return inColumns([['figure', ...sizes.map((size) => `${size} hosts`), 'goal'], ...rows]);
}

function historyRows(whose: string, sizes: (HistorySize | undefined)[]): Row[] {
  const row = (what: string, key: keyof HistorySize, shown: (value: number) => string): Row => [
    `${whose}: ${what}`,
    ...sizes.map((size) => (size === undefined ? '–' : shown(size[key]))),
    `≤ ${shown(LIMITS[key] / 4)}, a quarter of ${shown(LIMITS[key])}`,
  ];
  return [
    row('events', 'events', String),
    row('history', 'bytes', kibibytes),
    row('largest event', 'largestEvent', kibibytes),
    row('largest workflow task', 'largestTask', kibibytes),
  ];
}

type Last = (what: string, value: string, goal: string) => Row;

function faultRows({ blocked, isAlive, statusLines }: FaultFigures, last: Last): Row[] {
  return [
    last('the same fault on all: blocked steps', String(blocked), 'all'),
    last('the same: the run', isAlive ? 'waits' : 'was ended', 'waits'),
    last('the same: lines of status', String(statusLines), 'one screen'),
  ];
}

function silentRows({ seconds, installed, named, hosts, silent }: NonNullable<Report['silent']>, last: Last): Row[] {
  return [
    last(`${silent} never answer: install`, `${seconds.toFixed(0)} s`, ''),
    last('the same: installed', String(installed), String(hosts - silent)),
    last('the same: named at the end', String(named), String(silent)),
  ];
}

function kibibytes(bytes: number): string {
  return bytes >= 10 * 1_048_576 ? `${(bytes / 1_048_576).toFixed(1)} MiB` : `${Math.ceil(bytes / 1_024)} KiB`;
}

function inColumns(rows: Row[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) => `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`);
  const rule = `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`;
  return [lines[0], rule, ...lines.slice(1)].join('\n');
}
