import type { temporal } from '@temporalio/proto';
import { OPERATION_NAMES, OPERATIONS } from '../../plan/operations.js';
import { BLOCKED_STEPS, CLUSTER, PHASE, STATE } from '../../workflows/engine/search-attributes.js';
import { type Engine, type RunListing, type RunStatus, workflowIdOf } from '../types.js';
import { attributeOf, milliseconds } from './history-fold.js';
import { otherThanInstall } from './operation-of-run.js';

/** Which runs are listed. */
export interface ListOptions {
  /** Only installs with a blocked step; needs the search attributes. */
  blocked?: boolean;
  /** Only the latest install of each cluster. */
  latest?: boolean;
  /** Longest list of installs that have ended; default 100. All that run are always listed. */
  limit?: number;
}

type Execution = temporal.api.workflow.v1.IWorkflowExecutionInfo;

const PAGE_SIZE = 200;
/** Ended runs that are looked at for one of each cluster: years of a cluster that is converged every hour. */
const LOOKED_AT = 20_000;

/**
 * Installs of the namespace: those that run first, then those that its retention still keeps, each latest first. A
 * cluster that is installed to every hour does not hide the one that has waited for a person since last week.
 *
 * Inputs and memos are not looked at: the list is the same for who does not have the payload key.
 */
export async function listRuns(engine: Engine, options: ListOptions = {}): Promise<RunListing[]> {
  const running: RunListing[] = [];
  for await (const run of executions(engine, conditionsOf(options, 'Running'))) running.push(listingOf(run));
  if (options.blocked) return running;
  const listings = options.latest ? latestOf(running) : running;
  const clusters = new Set(listings.map(({ cluster }) => cluster));
  // One that ends between the two questions stands in both answers.
  const listed = new Set(running.map(({ runId }) => runId));
  let [ended, seen] = [0, 0];
  for await (const run of executions(engine, conditionsOf(options))) {
    seen += 1;
    if (ended >= (options.limit ?? 100) || seen > LOOKED_AT) break;
    const listing = listingOf(run);
    if (listing.status === 'running' || listed.has(listing.runId)) continue;
    if (options.latest && clusters.has(listing.cluster)) continue;
    clusters.add(listing.cluster);
    listings.push(listing);
    ended += 1;
  }
  return listings;
}

function conditionsOf({ blocked }: ListOptions, status?: string): string {
  // Health checks have a list of their own: they would hide what changes clusters.
  const mutating = OPERATION_NAMES.filter((name) => OPERATIONS[name].mutating);
  const types = mutating.map((name) => `'${OPERATIONS[name].workflow}'`);
  const conditions = [`WorkflowType IN (${types.join(', ')})`];
  if (status !== undefined) conditions.push(`ExecutionStatus = '${status}'`);
  if (blocked) conditions.push("KubewrightState = 'blocked'");
  return conditions.join(' AND ');
}

function latestOf(listings: RunListing[]): RunListing[] {
  const seen = new Set<string>();
  return listings.filter(({ cluster }) => !seen.has(cluster) && seen.add(cluster));
}

async function* executions(engine: Engine, query: string): AsyncGenerator<Execution, void> {
  const { client, settings } = engine;
  let nextPageToken: Uint8Array | undefined;
  do {
    const page = await client.workflowService.listWorkflowExecutions({
      namespace: settings.namespace,
      query,
      pageSize: PAGE_SIZE,
      nextPageToken,
    });
    yield* page.executions ?? [];
    nextPageToken = page.nextPageToken ?? undefined;
  } while (nextPageToken !== undefined && nextPageToken.length > 0);
}

function listingOf(run: Execution): RunListing {
  const attributes = run.searchAttributes?.indexedFields ?? {};
  const text = (name: string): string | undefined => attributeOf(attributes[name]) as string | undefined;
  const blocked = attributeOf(attributes[BLOCKED_STEPS.name]) as string | string[] | undefined;
  const workflowId = run.execution?.workflowId ?? '';
  const status = STATUSES[run.status ?? 0] ?? 'running';
  return {
    cluster: text(CLUSTER.name) ?? workflowId.slice(workflowIdOf('').length),
    workflowId,
    runId: run.execution?.runId ?? '',
    ...otherThanInstall(run.type?.name ?? ''),
    status,
    state: text(STATE.name) ?? '',
    phase: text(PHASE.name) ?? '',
    // A run that was terminated could not withdraw them. Some stores give back a list of one as the one.
    blocked: status === 'running' ? [blocked ?? []].flat() : [],
    startedAt: milliseconds(run.startTime),
    closedAt: run.closeTime ? milliseconds(run.closeTime) : undefined,
  };
}

/** By temporal.api.enums.v1.WorkflowExecutionStatus. */
const STATUSES: Record<number, RunStatus> = {
  1: 'running',
  2: 'completed',
  3: 'failed',
  4: 'cancelled',
  5: 'terminated',
  7: 'timed-out',
};
