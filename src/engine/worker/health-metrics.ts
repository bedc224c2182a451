import type { MetricMeter } from '@temporalio/common';
import type { InjectedSinks } from '@temporalio/worker';
import { HEALTH_VERDICTS } from '../../plan/findings.js';
import type { HealthSinks } from '../../workflows/health-sinks.js';
import type { HealthReport } from '../../workflows/reports.js';

/** In place of the codes of findings that a report only counts. */
const UNNAMED = 'unnamed';

/**
 * Metrics of what the checks that this worker carries out have come to: the last one of each cluster. Findings are told apart by code, never
 * by host: the number of series does not grow with a cluster.
 *
 * @param meter the runtime's; one that serves nothing takes all of it without a word
 */
export function healthSinks(meter: MetricMeter): InjectedSinks<HealthSinks> {
  const verdicts = meter.createGauge(
    'kubewright_health_verdict',
    'int',
    '',
    'Verdict of the last check of a cluster: 1 for the one that it is, 0 for the others',
  );
  const findings = meter.createGauge('kubewright_health_findings', 'int', '', 'Findings of the last check, by code');
  const checked = meter.createGauge(
    'kubewright_health_checked_timestamp_seconds',
    'float',
    '',
    'When the last check of a cluster ended',
  );
  /** Codes that have a series, by cluster: what is no longer found is 0, for a gauge keeps its last value. */
  const seen = new Map<string, Set<string>>();
  const ended = ({ cluster, verdict, at, ...report }: HealthReport): void => {
    for (const each of HEALTH_VERDICTS) verdicts.set(each === verdict ? 1 : 0, { cluster, verdict: each });
    const counts = countsOf(report);
    const codes = new Set([...(seen.get(cluster) ?? []), ...counts.keys()]);
    for (const code of codes) findings.set(counts.get(code) ?? 0, { cluster, code });
    seen.set(cluster, codes);
    checked.set(at / 1_000, { cluster });
  };
  return { health: { ended: { fn: (_info, report) => ended(report), callDuringReplay: false } } };
}

function countsOf({ findings, more = 0 }: Pick<HealthReport, 'findings' | 'more'>): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { code } of findings) counts.set(code, (counts.get(code) ?? 0) + 1);
  if (more > 0) counts.set(UNNAMED, more);
  return counts;
}
