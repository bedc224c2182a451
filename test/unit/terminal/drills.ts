import type { DrillReport, ScenarioReport } from '../../../src/plan/drill-report.js';

/** When the drills of these tests ended. */
export const ENDED = Date.UTC(2026, 2, 2, 9, 30);

const gap = (kind: 'version' | 'read' | 'write' | 'dns', gapMs: number, atMs = 100) => ({
  kind,
  gapMs,
  atMs,
  beforeMs: 110,
  answered: 600,
  failed: 3,
  perSecond: 10,
  outages: gapMs < 500 ? [] : [{ fromMs: atMs, toMs: atMs + gapMs }],
});

export const BALANCER: ScenarioReport = {
  scenario: 'balancer',
  victim: 'cp-1',
  prober: 'w-1',
  at: ENDED - 120_000,
  gaps: [gap('version', 410), gap('read', 420), gap('write', 1_300), gap('dns', 110)],
  times: { restored: 12_000, healthy: 20_000 },
};

export const POWER: ScenarioReport = {
  scenario: 'power',
  victim: 'cp-2',
  prober: 'w-1',
  at: ENDED - 90_000,
  gaps: [gap('version', 900), gap('read', 2_600), gap('write', 2_700), gap('dns', 130)],
  times: { left: 1_900, returned: 95_000, notReady: 48_000, restored: 80_000, healthy: 130_000 },
};

export const DRILL: DrillReport = { cluster: 'demo', at: ENDED, scenarios: [BALANCER, POWER] };
