import { continueAsNew, proxyActivities, upsertSearchAttributes } from '@temporalio/workflow';
import type { WorkerActivities } from '../activities/types.js';
import type { CheckRequest, RunInput } from '../plan/run.js';
import { BACK_OFF, HEARTBEAT_TIMEOUT } from './engine/recoverable-step.js';
import { run } from './engine/run.js';
import { STATE } from './engine/search-attributes.js';
import type { HealthReport, RunResult } from './types.js';

/**
 * Looks at a cluster and changes nothing; what is wrong is told in the report, and nobody is asked. It is planned first, by a
 * worker, from what was applied last; the run behind that holds cluster and plan in its first event, as any other does.
 */
export async function checkHealth(input: CheckRequest | RunInput): Promise<HealthReport> {
  if ('known' in input) {
    const { prepareCheck } = proxyActivities<WorkerActivities>({
      activityId: 'cluster/prepare-check',
      summary: 'Read what was applied last, and plan the check',
      startToCloseTimeout: '2 minutes',
      heartbeatTimeout: HEARTBEAT_TIMEOUT,
      retry: { ...BACK_OFF, maximumAttempts: 5 },
    });
    const planned = await prepareCheck(input);
    return continueAsNew<typeof checkHealth>(planned);
  }
  const report = reportOf(input, await run(input));
  if (input.searchAttributes === true) {
    upsertSearchAttributes([{ key: STATE, value: report.findings.length === 0 ? 'healthy' : 'unhealthy' }]);
  }
  return report;
}

function reportOf({ cluster, plan, findings = [] }: RunInput, result: RunResult): HealthReport {
  const found = [...findings, ...(result.findings ?? [])];
  const hosts = found.filter(({ host }) => host !== null);
  const whole = found.filter(({ host }) => host === null);
  const { more } = result;
  return {
    cluster: cluster.name,
    at: Date.now(),
    looks: plan.length,
    findings: [...hosts, ...whole],
    ...(more === undefined ? {} : { more }),
  };
}
