import { BLOCKED_STEPS, CLUSTER, PHASE, STATE } from '../../workflows/search-attributes.js';
import { type Engine, INSTALL_WORKFLOW, type InstallListing, workflowIdOf } from '../types.js';
import { statusOf } from './snapshot.js';

export interface ListOptions {
  /** Only installs with a blocked step; needs the search attributes. */
  blocked?: boolean;
  /** Longest list; default 100. */
  limit?: number;
}

/** Installs of the namespace, latest first: running ones and those that its retention still keeps. */
export async function listInstalls(engine: Engine, options: ListOptions = {}): Promise<InstallListing[]> {
  const conditions = [`WorkflowType = '${INSTALL_WORKFLOW}'`];
  if (options.blocked) conditions.push("KubewrightState = 'blocked'", "ExecutionStatus = 'Running'");
  const listings: InstallListing[] = [];
  for await (const run of engine.client.workflow.list({ query: conditions.join(' AND ') })) {
    const attributes = run.typedSearchAttributes;
    const status = statusOf(run.status.name);
    listings.push({
      cluster: attributes.get(CLUSTER) ?? run.workflowId.slice(workflowIdOf('').length),
      workflowId: run.workflowId,
      runId: run.runId,
      status,
      state: attributes.get(STATE) ?? '',
      phase: attributes.get(PHASE) ?? '',
      // A run that was terminated could not withdraw them.
      blocked: status === 'running' ? (attributes.get(BLOCKED_STEPS) ?? []) : [],
      startedAt: run.startTime.getTime(),
      closedAt: run.closeTime?.getTime(),
    });
    if (listings.length >= (options.limit ?? 100)) break;
  }
  return listings;
}
