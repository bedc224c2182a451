import type { Gap, ProbeKind } from '../api-probe.js';
import { FAULTS, type Fault, type Goals } from './faults.js';
import type { Measured } from './run.js';
import type { Outcome } from './strike.js';

type Row = string[];

const KINDS: ProbeKind[] = ['version', 'read', 'write'];

/** The table in Markdown: a row for each fault, a column for each topology; what misses a goal is bold. */
export function tableOf(all: Measured[]): string {
  const rows: Row[] = [
    ['hosts', '', ...all.map(({ hosts }) => String(hosts))],
    ['install', '≤ 1.5 × stacked, and the share of extra hosts', ...all.map((one) => installCell(one, all))],
    ['load average beside it', '', ...all.map(loadCell)],
    ...FAULTS.map((fault) => [fault.what, goalsCell(fault, all), ...all.map((one) => faultCell(fault, one))]),
  ];
  const table = inColumns([
    ['`/version` / read / write, ms', 'goal', ...all.map(({ topology }) => topology.key)],
    ...rows,
  ]);
  return [table, ...reasons(all)].join('\n');
}

/** Whether all that was to be measured was. */
export function isComplete(all: Measured[]): boolean {
  return all.every(({ failed }) => failed === undefined);
}

/** Seconds that an install may take: one and a half times the stacked one, and for each host more what one of its hosts took. */
export function installGoal(measured: Measured, all: Measured[]): number | undefined {
  const stacked = all.find(({ topology }) => topology.key === 'stacked');
  if (stacked?.installSeconds === undefined || stacked === measured) return undefined;
  const extra = Math.max(0, measured.hosts - stacked.hosts);
  return 1.5 * stacked.installSeconds + (extra * stacked.installSeconds) / stacked.hosts;
}

function installCell(measured: Measured, all: Measured[]): string {
  const { installSeconds, failed } = measured;
  if (installSeconds === undefined) return failed === undefined ? '—' : 'failed';
  const goal = installGoal(measured, all);
  return bold(`${installSeconds.toFixed(0)} s`, goal !== undefined && installSeconds > goal);
}

/** The least and the most that was seen while faults were measured: what the machine had to do says how much a figure is worth. */
function loadCell({ outcomes }: Measured): string {
  const loads = Object.values(outcomes).flatMap((outcome) => ('load' in outcome ? [outcome.load] : []));
  if (loads.length === 0) return '—';
  const [least, most] = [Math.min(...loads), Math.max(...loads)].map((load) => load.toFixed(0));
  return least === most ? `${least}` : `${least}–${most}`;
}

function faultCell(fault: Fault, { topology, outcomes }: Measured): string {
  if (fault.absent(topology) !== undefined) return '—';
  const outcome = outcomes[fault.key];
  if (outcome === undefined) return 'not measured';
  return 'failed' in outcome ? 'failed' : gapsCell(outcome.gaps, fault.goals(topology));
}

function gapsCell(gaps: Gap[], goals: Goals): string {
  return KINDS.map((kind) => {
    const silent = gaps.find((gap) => gap.kind === kind)?.silentMs;
    return silent === undefined ? '?' : bold(String(silent), silent > (goals[kind] ?? Number.POSITIVE_INFINITY));
  }).join(' / ');
}

/** Goals of a fault, and whose they are where topologies differ. */
function goalsCell(fault: Fault, all: Measured[]): string {
  const having = all.filter(({ topology }) => fault.absent(topology) === undefined);
  const texts = new Map<string, string[]>();
  for (const { topology } of having) {
    const text = goalsText(fault.goals(topology));
    texts.set(text, [...(texts.get(text) ?? []), topology.key]);
  }
  const told = [...texts].filter(([text]) => text !== '');
  if (texts.size <= 1) return told[0]?.[0] ?? '';
  return told.map(([text, keys]) => `${text} (${keys.join(', ')})`).join('; ');
}

function goalsText(goals: Goals): string {
  const cells = KINDS.map((kind) => (goals[kind] === undefined ? '–' : String(goals[kind])));
  if (cells.every((cell) => cell === '–')) return '';
  return `≤ ${new Set(cells).size === 1 ? cells[0] : cells.join(' / ')}`;
}

/** Why a cell is empty, and what failed. */
function reasons(all: Measured[]): string[] {
  const absent = FAULTS.flatMap((fault) =>
    all.flatMap(({ topology }) => {
      const why = fault.absent(topology);
      return why === undefined ? [] : [{ what: fault.what, why, key: topology.key }];
    }),
  );
  const byReason = new Map<string, string[]>();
  for (const { what, why, key } of absent) {
    const reason = `- — ${what}: ${why}`;
    byReason.set(reason, [...(byReason.get(reason) ?? []), key]);
  }
  const told = [...byReason].map(([reason, keys]) => `${reason} (${keys.join(', ')})`);
  const failures = all.flatMap(({ topology, failed }) =>
    failed === undefined ? [] : [`- failed in ${topology.key}: ${failed}`],
  );
  return told.length + failures.length === 0 ? [] : ['', ...told, ...failures];
}

/** What the JSON file holds: every figure, those of single requests that failed among them. */
export function recordOf(all: Measured[], at: Date): object {
  return {
    at: at.toISOString(),
    topologies: all.map(({ topology, hosts, installSeconds, outcomes, failed }) => ({
      topology: topology.key,
      hosts,
      installSeconds,
      failed,
      faults: outcomes satisfies Partial<Record<string, Outcome>>,
    })),
  };
}

function bold(text: string, isMissed: boolean): string {
  return isMissed ? `**${text}**` : text;
}

function inColumns(rows: Row[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) => `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`);
  const rule = `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`;
  return [lines[0], rule, ...lines.slice(1)].join('\n');
}
