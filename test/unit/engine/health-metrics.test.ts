import type { MetricMeter } from '@temporalio/common';
import { expect, it } from 'vitest';
import { healthSinks } from '../../../src/engine/worker/health-metrics.js';
import type { HealthReport } from '../../../src/workflows/reports.js';

/** The series that a page of metrics would show now. */
function recorded() {
  const series: Record<string, number> = {};
  const createGauge = (name: string) => ({
    set: (value: number, tags: Record<string, string>) => {
      series[`${name.replace('kubewright_health_', '')} ${Object.values(tags).join(' ')}`] = value;
    },
  });
  const { health } = healthSinks({ createGauge } as unknown as MetricMeter);
  const ended = (report: Partial<HealthReport>) =>
    health.ended.fn({} as never, { cluster: 'demo', at: 5_000, verdict: 'ok', looks: 7, findings: [], ...report });
  return { series, ended };
}

const finding = (code: string, host: string) => ({ code, host, evidence: '', hint: '' });

it('the last check of each cluster is served: its verdict, its findings by code, and when it ended', () => {
  const { series, ended } = recorded();
  ended({
    verdict: 'down',
    findings: [finding('KW481', 'w-1'), finding('KW481', 'w-2'), finding('KW601', 'cp-1')],
    more: 4,
  });
  expect(series).toEqual({
    'verdict demo ok': 0,
    'verdict demo unknown': 0,
    'verdict demo degraded': 0,
    'verdict demo down': 1,
    'findings demo KW481': 2,
    'findings demo KW601': 1,
    'findings demo unnamed': 4,
    'checked_timestamp_seconds demo': 5,
  });
});

it('what is no longer found is 0, and clusters do not meddle with each other', () => {
  const { series, ended } = recorded();
  ended({ verdict: 'degraded', findings: [finding('KW601', 'cp-1')], more: 1 });
  ended({ cluster: 'other', verdict: 'degraded', findings: [finding('KW646', 'w-1')] });
  ended({ at: 9_000 });
  expect(series).toMatchObject({
    'verdict demo ok': 1,
    'verdict demo degraded': 0,
    'findings demo KW601': 0,
    'findings demo unnamed': 0,
    'checked_timestamp_seconds demo': 9,
    'verdict other degraded': 1,
    'findings other KW646': 1,
  });
  expect(series).not.toHaveProperty('findings other KW601');
});
