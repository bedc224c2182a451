import {
  ActivityFailure,
  ApplicationFailure,
  ChildWorkflowFailure,
  WorkflowExecutionAlreadyStartedError,
} from '@temporalio/common';
import {
  type ChildWorkflowHandle,
  isCancellation,
  ParentClosePolicy,
  proxyActivities,
  startChild,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type { WorkerActivities } from '../activities/types.js';
import type { HeldBy, RunInput } from '../plan/run.js';
import {
  type DrillRequest,
  LATEST_BEGIN_MS,
  type NoDrill,
  type ScheduledDrillReport,
} from '../plan/scheduled-drill.js';
import type { drillCluster } from './drill-cluster.js';
import { BACK_OFF, HEARTBEAT_TIMEOUT, SUMMARY_CHARACTERS } from './engine/recoverable-step.js';
import { CLUSTER, OPERATION, PHASE, STATE } from './engine/search-attributes.js';
import type { FailureDetails } from './types.js';

type Drill = typeof drillCluster;

/**
 * What a schedule of drills starts: plans a drill from what was applied last, and carries it out as a child under the id that one by hand
 * has, `cluster/NAME`. So one operation at a time changes the cluster, and everything that follows, ends or shows a drill does so with
 * this one. Whatever keeps it from being one ends it: nobody is waited for at night. It does not fail, for what came of it is its result.
 */
export async function scheduledDrill(request: DrillRequest): Promise<ScheduledDrillReport> {
  const { name } = request.known;
  try {
    if (isLate()) return told(request, skippedFor(LATE));
    const planned = await prepare(request);
    if ('skipped' in planned) return told(request, skippedFor(heldWords(planned.skipped), planned.skipped));
    // A worker that died while it planned may have been away for a night.
    if (isLate()) return told(request, skippedFor(LATE));
    const drill = await begin(name, planned);
    if (drill === undefined) return told(request, skippedFor('another operation took the cluster in that moment'));
    await drill.result();
    return told(request, { outcome: 'drilled' });
  } catch (error) {
    if (isCancellation(error)) throw error;
    return told(request, { outcome: 'refused', why: reasonOf(error) });
  }
}

const LATE = `no worker took it up within ${LATEST_BEGIN_MS / 60_000} minutes of when it was due`;

/** Before anything is begun: by the time that Temporal started it, which is when it was due. */
function isLate(): boolean {
  return Date.now() - workflowInfo().startTime.getTime() > LATEST_BEGIN_MS;
}

function prepare(request: DrillRequest): ReturnType<WorkerActivities['prepareDrill']> {
  const { prepareDrill } = proxyActivities<WorkerActivities>({
    activityId: 'cluster/prepare-drill',
    summary: 'Read what was applied last, and plan the drill',
    startToCloseTimeout: '2 minutes',
    scheduleToCloseTimeout: LATEST_BEGIN_MS,
    heartbeatTimeout: HEARTBEAT_TIMEOUT,
    retry: { ...BACK_OFF, maximumAttempts: 5 },
  });
  return prepareDrill(request);
}

/** @returns undefined where something else has the cluster */
async function begin(cluster: string, input: RunInput): Promise<ChildWorkflowHandle<Drill> | undefined> {
  const { planHash, build, format = 1, plan } = input;
  const searchAttributes = input.searchAttributes === true ? attributesOf(cluster, plan[0]?.phase ?? '') : [];
  try {
    return await startChild<Drill>('drillCluster', {
      workflowId: `cluster/${cluster}`,
      args: [input],
      memo: { planHash, build, format },
      // Whatever becomes of this workflow: a drill that has begun puts everything back.
      parentClosePolicy: ParentClosePolicy.ABANDON,
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
      cancellationType: 'WAIT_CANCELLATION_COMPLETED',
      workflowTaskTimeout: '5 seconds',
      typedSearchAttributes: searchAttributes,
      staticSummary: `Drill ${cluster}: ${input.cluster.hosts.length} hosts`.slice(0, SUMMARY_CHARACTERS),
    });
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return undefined;
    throw error;
  }
}

function attributesOf(cluster: string, phase: string) {
  return [
    { key: CLUSTER, value: cluster },
    { key: OPERATION, value: 'drill' },
    { key: STATE, value: 'running' },
    { key: PHASE, value: phase },
  ];
}

type Ending = Pick<ScheduledDrillReport, 'outcome' | 'why' | 'heldBy'>;

function skippedFor(why: string, heldBy?: HeldBy): Ending {
  const message = `the drill that was due was left out: ${why}`;
  const hint = 'Nothing was broken. The next one comes by its schedule; `kubewright drill` makes one now.';
  return { outcome: 'skipped', why: { code: 'KW521', message, hint }, ...(heldBy === undefined ? {} : { heldBy }) };
}

function heldWords({ operation, workflowId }: HeldBy): string {
  return `${workflowId} is at work (${operation})`;
}

/** The failure that a drill or its planning ended with: of the activity, or of the child. */
function reasonOf(error: unknown): NoDrill {
  const cause = error instanceof ActivityFailure || error instanceof ChildWorkflowFailure ? error.cause : error;
  const message = cause instanceof Error ? cause.message : String(cause);
  if (!(cause instanceof ApplicationFailure)) return { code: 'KW522', message, hint: 'Look at it in Temporal.' };
  const details = cause.details?.[0] as FailureDetails | undefined;
  return { code: cause.type ?? 'KW499', message, hint: details?.hint ?? '' };
}

function told({ known, searchAttributes }: DrillRequest, ending: Ending): ScheduledDrillReport {
  if (searchAttributes === true) upsertSearchAttributes([{ key: STATE, value: ending.outcome }]);
  return { cluster: known.name, at: Date.now(), ...ending };
}
