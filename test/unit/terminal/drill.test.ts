import { describe, expect, it } from 'vitest';
import { drillLine, drillLines, longestGap } from '../../../src/terminal/drill.js';
import { createTheme } from '../../../src/terminal/theme.js';
import { BALANCER, DRILL, ENDED } from './drills.js';

const theme = createTheme(false, true);
const now = ENDED + 60_000;

describe('a drill', () => {
  it('is a table: who was struck, the longest time without an answer by kind, and when what happened', () => {
    expect(drillLines(DRILL, theme, now)).toEqual([
      '✓ demo was drilled: 2 scenarios measured (2026-03-02 09:30 UTC, 1 m 00 s ago)',
      '            struck  version, ms  read, ms  write, ms  dns, ms   left      back  NotReady  put back     whole',
      '  balancer  cp-1            410       420       1300      110      -         -         -      12 s      20 s',
      '  power     cp-2            900      2600       2700      130  1.9 s  1 m 35 s      48 s  1 m 20 s  2 m 10 s',
      '  ms: the longest time without an answer, asked ten times a second from outside. Times: after the break.',
    ]);
  });

  it('has no column for what was seen in no scenario', () => {
    const [, head] = drillLines({ ...DRILL, scenarios: [BALANCER] }, theme, now);
    expect(head).toBe('            struck  version, ms  read, ms  write, ms  dns, ms  put back  whole');
  });

  it('says what was left out, and what went wrong with what to do about it', () => {
    const lines = drillLines(
      {
        cluster: 'demo',
        at: ENDED,
        scenarios: [],
        left: [{ scenario: 'api-server', why: 'it was not begun' }],
        problems: [{ step: 'cluster/balancer-restore', code: 'KW674', message: 'it has not come back', hint: 'Look.' }],
      },
      theme,
      now,
    );
    expect(lines).toEqual([
      '✗ demo was drilled: 0 scenarios measured, 1 problem (2026-03-02 09:30 UTC, 1 m 00 s ago)',
      '  – api-server: it was not begun',
      '  KW674 cluster/balancer-restore: it has not come back',
      '        Look.',
    ]);
  });
});

it('is told in a line by its longest gap', () => {
  expect(longestGap(DRILL)).toEqual({ scenario: 'power', kind: 'write', gapMs: 2_700 });
  expect(drillLine(DRILL, now)).toBe(
    'Drill: 2 scenarios measured; longest gap 2700 ms (write, power) (2026-03-02 09:30 UTC, 1 m 00 s ago; `kubewright drill history`).',
  );
  expect(longestGap({ scenarios: [] })).toBeUndefined();
});
