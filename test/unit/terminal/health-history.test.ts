import { stripVTControlCharacters } from 'node:util';
import { expect, it } from 'vitest';
import { HEALTH_COMPONENTS } from '../../../src/plan/findings.js';
import { historyLines } from '../../../src/terminal/health-history.js';
import { createTheme } from '../../../src/terminal/theme.js';

const to = Date.UTC(2026, 2, 2, 9, 30);
const cells = ['ok', 'degraded', 'down', 'unknown', 'skipped', null] as const;
const history = {
  cluster: 'demo',
  from: to - 24 * 3_600_000,
  to,
  slotMs: 1_800_000,
  checks: 288,
  skipped: 3,
  rows: HEALTH_COMPONENTS.map((component) => ({ component, cells: component === 'api' ? [...cells] : [] })),
};

it('draws a line for each component, by letters where there are no colours', () => {
  expect(historyLines(history, createTheme(false, false))).toEqual([
    'demo: 288 checks, 3 of them left out, 2026-03-01 09:30 to 2026-03-02 09:30 UTC, a cell is 30 m',
    '  api       odX?s.',
    '  endpoint  ',
    '  etcd      ',
    '  nodes     ',
    '  dns       ',
    '  network   ',
    '  hosts     ',
    '            o ok   d degraded   X down   ? not seen   s left out   . no check',
  ]);
});

it('draws blocks in colours, and nothing beyond ASCII where that cannot be shown', () => {
  const line = historyLines(history, createTheme(true, true))[1] ?? '';
  expect(stripVTControlCharacters(line)).toBe('  api       ■■■?s.');
  expect(line).toContain('\u001b[31m■');
  const ascii = historyLines(history, createTheme(true, false)).join('\n');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that there is none is what is tested
  expect(stripVTControlCharacters(ascii)).toMatch(/^[\u0000-\u007f]*$/);
});
