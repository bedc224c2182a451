import { describe, expect, it } from 'vitest';
import { healthLines, newsLines, scheduleLine } from '../../../src/terminal/health.js';
import { createTheme } from '../../../src/terminal/theme.js';

const theme = createTheme(false, true);
const at = Date.UTC(2026, 2, 2, 9, 30);

describe('a health report', () => {
  it('of a healthy cluster is one line, with when that was', () => {
    const report = { cluster: 'demo', at, verdict: 'ok' as const, looks: 7, findings: [] };
    expect(healthLines(report, theme, at + 12_000)).toEqual([
      '✓ demo is healthy: 7 looks (2026-03-02 09:30 UTC, 12 s ago)',
    ]);
  });

  it('of a healthy cluster of which somebody could not be told is one all the same, with a remark', () => {
    const findings = [
      { code: 'KW686', host: null, evidence: 'the webhook was not told', hint: 'Look there.', since: at },
    ];
    const report = { cluster: 'demo', at, verdict: 'ok' as const, looks: 7, findings };
    expect(healthLines(report, theme, at + 12_000)).toEqual([
      '✓ demo is healthy: 7 looks, 1 remark (2026-03-02 09:30 UTC, 12 s ago)',
      '  KW686 the webhook was not told (new)',
      '        Look there.',
    ]);
  });

  it('names code, host, what was seen and what to do, and how many more there are', () => {
    const report = {
      cluster: 'demo',
      at,
      verdict: 'degraded' as const,
      looks: 7,
      findings: [
        { code: 'KW601', host: 'cp-2', evidence: 'cp-2: its API server is not ready', hint: 'Look there.' },
        { code: 'KW476', host: null, evidence: 'not every member answers', hint: '', since: at },
        { code: 'KW481', host: 'w-1', evidence: 'w-1 is not Ready', hint: '', since: at - 600_000 },
      ],
      more: 3,
      fleeting: 2,
    };
    expect(healthLines(report, theme, at + 60_000)).toEqual([
      '✗ demo is degraded: 6 findings (2026-03-02 09:30 UTC, 1 m 00 s ago)',
      '  KW601 cp-2: its API server is not ready',
      '        Look there.',
      '  KW476 not every member answers (new)',
      '  KW481 w-1: w-1 is not Ready (since 2026-03-02 09:20 UTC)',
      '  and 3 more',
      '  2 findings were seen once only: a second look some seconds later did not see them',
    ]);
  });

  it('tells a cluster that is down from one that could not be looked at', () => {
    const findings = [{ code: 'KW680', host: null, evidence: 'the API does not answer', hint: '' }];
    const headline = (verdict: 'down' | 'unknown') =>
      healthLines({ cluster: 'demo', at, verdict, looks: 7, findings }, theme, at)[0];
    expect(headline('down')).toContain('demo is down: 1 finding');
    expect(headline('unknown')).toContain('demo could not be looked at: 1 finding');
  });

  it('says what was under way meanwhile, where somebody has asked for the check all the same', () => {
    const during = { operation: 'install' as const, workflowId: 'cluster/demo', since: at };
    const lines = healthLines({ cluster: 'demo', at, verdict: 'ok', looks: 7, findings: [], during }, theme, at);
    expect(lines.at(-1)).toBe('  an install was under way meanwhile: what was found may be its doing');
  });

  it('prints nothing that a host wrote to steer the terminal', () => {
    const finding = { code: 'KW481', host: null, evidence: 'w-1\u001b[2J is\u0007 not Ready', hint: '' };
    const lines = healthLines({ cluster: 'demo', at, verdict: 'degraded', looks: 1, findings: [finding] }, theme, at);
    expect(lines[1]).toBe('  KW481 w-1 is not Ready');
  });
});

it('says of a schedule how often, and when next', () => {
  expect(scheduleLine({ cluster: 'demo', everyMs: 300_000, paused: false, nextAt: at, changedAt: at })).toBe(
    'demo: every 5 m, next 2026-03-02 09:30 UTC',
  );
  expect(scheduleLine({ cluster: 'demo', everyMs: 15_000, paused: true, changedAt: at })).toBe(
    'demo: every 15 s, paused',
  );
});

it('says of a schedule with quick checks how often both are made, and when the next of either is', () => {
  const quick = { everyMs: 60_000, nextAt: at, changedAt: at };
  expect(
    scheduleLine({ cluster: 'demo', everyMs: 3_600_000, paused: false, nextAt: at + 600_000, changedAt: at, quick }),
  ).toBe('demo: deep every 1 h, quick every 1 m, next 2026-03-02 09:30 UTC');
});

it('says of a quick check when pods were asked, and of what it did not look at since when that is so', () => {
  const deepAt = at - 600_000;
  const stands = { code: 'KW483', host: null, evidence: 'no DNS', hint: '', since: deepAt - 600_000, seenAt: deepAt };
  const report = { cluster: 'demo', at, deepAt, verdict: 'degraded' as const, looks: 1, findings: [stands] };
  const [headline, told] = healthLines(report, theme, at);
  expect(headline).toContain('; quick, pods were asked 10 m 00 s ago)');
  expect(told).toBe('  KW483 no DNS (since 2026-03-02 09:10 UTC, not looked at since 2026-03-02 09:20 UTC)');
});

describe('the news of a cluster', () => {
  const schedule = { cluster: 'demo', everyMs: 5_430_000, paused: false, changedAt: 0 };

  it('are none where all is as it should be', () => {
    expect(newsLines({ schedule }, 'demo.yaml')).toEqual([]);
  });

  it('are that its schedule is silent, with the command that makes it anew', () => {
    expect(newsLines({ schedule, silentSince: at }, 'demo.yaml')).toEqual([
      'No check has ended since 2026-03-02 09:30 UTC, and one is due every 1 h 30 m: no worker takes them, or the server has lost the schedule.',
      '`kubewright health schedule demo.yaml --every 1h30m30s` brings a worker and makes the schedule anew.',
      'With the embedded server, `kubewright server install-service` keeps server and worker running without a terminal.',
    ]);
  });

  it('are what holds the cluster, so that checks are left out', () => {
    const heldBy = { operation: 'rotate-encryption-key' as const, workflowId: 'cluster/demo', since: at };
    expect(newsLines({ heldBy }, 'demo.yaml')).toEqual([
      'Scheduled checks are left out while a key rotation holds the cluster (cluster/demo, since 2026-03-02 09:30 UTC).',
    ]);
  });

  it('are that nobody tells whether checks are scheduled, which is no word that there are none', () => {
    expect(newsLines({ unread: { schedule: '7 PERMISSION_DENIED' } }, 'demo.yaml')).toEqual([
      'Whether checks are scheduled, and still come, is not known: 7 PERMISSION_DENIED.',
    ]);
  });
});
