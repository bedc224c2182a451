import type { HealthCell, HealthHistory } from '../engine/index.js';
import { HEALTH_COMPONENTS } from '../plan/findings.js';
import { duration, pad, plural, utcMinute } from './text.js';
import type { Theme } from './theme.js';
import type { StyleName } from './types.js';

/** How a cell looks: a block in its colour; where there are no colours, a letter. */
const LOOKS: Record<Exclude<HealthCell, null> | 'none', { letter: string; style: StyleName; block: boolean }> = {
  ok: { letter: 'o', style: 'good', block: true },
  degraded: { letter: 'd', style: 'warn', block: true },
  down: { letter: 'X', style: 'bad', block: true },
  unknown: { letter: '?', style: 'faint', block: false },
  skipped: { letter: 's', style: 'faint', block: false },
  none: { letter: '.', style: 'faint', block: false },
};

/** What a cell means, in words. */
export const MEANINGS = {
  ok: 'ok',
  degraded: 'degraded',
  down: 'down',
  unknown: 'not seen',
  skipped: 'left out',
  none: 'no check',
};

const NAME_COLUMNS = Math.max(...HEALTH_COMPONENTS.map((name) => name.length)) + 2;

/** A day of a cluster: a line for each component, the oldest cell first. */
export function historyLines(history: HealthHistory, theme: Theme): string[] {
  const { cluster, rows } = history;
  const legend = Object.entries(MEANINGS).map(
    ([name, meaning]) => `${shown(name === 'none' ? null : (name as HealthCell), theme)} ${meaning}`,
  );
  return [
    `${theme.paint(cluster, 'strong')}: ${dayInShort(history)}`,
    ...rows.map(
      ({ component, cells }) => `  ${pad(component, NAME_COLUMNS)}${cells.map((cell) => shown(cell, theme)).join('')}`,
    ),
    `  ${pad('', NAME_COLUMNS)}${legend.join('   ')}`,
  ];
}

/** "288 checks, 3 of them left out, 2026-03-01 09:30 to 2026-03-02 09:30 UTC, a cell is 30 m". */
export function dayInShort({ from, to, slotMs, checks, skipped }: HealthHistory): string {
  const left = skipped === 0 ? '' : `, ${skipped} of them left out`;
  const span = `${utcMinute(from)} to ${utcMinute(to)} UTC`;
  return `${plural(checks, 'check')}${left}, ${span}, a cell is ${duration(slotMs).replace(/ 00 [sm]$/, '')}`;
}

function shown(cell: HealthCell, theme: Theme): string {
  const { letter, style, block } = LOOKS[cell ?? 'none'];
  return theme.paint(block && theme.isColored ? theme.symbols.cell : letter, style);
}
