import { describe, expect, it } from 'vitest';
import { healthLines, scheduleLine } from '../../../src/terminal/health.js';
import { createTheme } from '../../../src/terminal/theme.js';

const theme = createTheme(false, true);
const at = Date.UTC(2026, 2, 2, 9, 30);

describe('a health report', () => {
  it('of a healthy cluster is one line, with when that was', () => {
    const report = { cluster: 'demo', at, looks: 7, findings: [] };
    expect(healthLines(report, theme, at + 12_000)).toEqual([
      '✓ demo is healthy: 7 looks (2026-03-02 09:30 UTC, 12 s ago)',
    ]);
  });

  it('names code, host, what was seen and what to do, and how many more there are', () => {
    const report = {
      cluster: 'demo',
      at,
      looks: 7,
      findings: [
        { code: 'KW601', host: 'cp-2', evidence: 'cp-2: its API server is not ready', hint: 'Look there.' },
        { code: 'KW476', host: null, evidence: 'not every member answers', hint: '' },
      ],
      more: 3,
    };
    expect(healthLines(report, theme, at + 60_000)).toEqual([
      '✗ demo: 5 findings (2026-03-02 09:30 UTC, 1 m 00 s ago)',
      '  KW601 cp-2: its API server is not ready',
      '        Look there.',
      '  KW476 not every member answers',
      '  and 3 more',
    ]);
  });

  it('prints nothing that a host wrote to steer the terminal', () => {
    const finding = { code: 'KW481', host: null, evidence: 'w-1\u001b[2J is\u0007 not Ready', hint: '' };
    const lines = healthLines({ cluster: 'demo', at, looks: 1, findings: [finding] }, theme, at);
    expect(lines[1]).toBe('  KW481 w-1 is not Ready');
  });
});

it('says of a schedule how often, and when next', () => {
  expect(scheduleLine({ cluster: 'demo', everyMs: 300_000, paused: false, nextAt: at })).toBe(
    'demo: every 5 m, next 2026-03-02 09:30 UTC',
  );
  expect(scheduleLine({ cluster: 'demo', everyMs: 15_000, paused: true })).toBe('demo: every 15 s, paused');
});
