import { ApplicationFailure, ChildWorkflowFailure, WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import {
  CancellationScope,
  type ChildWorkflowHandle,
  condition,
  getExternalWorkflowHandle,
  ParentClosePolicy,
  sleep,
  startChild,
} from '@temporalio/workflow';
import type { GroupInput, StepOutput } from '../../plan/run.js';
import type { FailureDetails, GroupNews, GroupResult } from '../types.js';
import { decisionSignal, ifCancelled, ifEnded, newsSignal } from './group-messages.js';
import type { StepRun } from './recoverable-step.js';
import type { GroupStep } from './units.js';

type GroupWorkflow = (input: GroupInput) => Promise<GroupResult>;

const PAUSE_UNTIL_FREE = '2 seconds';

/**
 * Carries a group of hosts through to its end, by a child workflow. The child is told what ends elsewhere and which hosts
 * are left out; what it says is put into the root's books as it arrives (see `handleGroups`).
 */
export async function carryOutGroup(step: GroupStep, run: StepRun): Promise<StepOutput> {
  const child = await start(step, run);
  run.groups.started(step.id, child.firstExecutionRunId);
  run.publish();
  const informing = new CancellationScope();
  const informed = informing
    .run(() => Promise.all([keepInformed(step, run), abortWithRun(step, run)]))
    .catch(ifCancelled);
  try {
    // The steps are for who looks; the root has their counts.
    const { steps: _, ...result } = await child.result();
    run.groups.finished(step.id, result, run.ledger);
    const outcome = result.changed > 0 ? 'changed' : 'unchanged';
    return { outcome, summary: `${result.changed} steps changed something, ${result.unchanged} did not` };
  } catch (error) {
    run.groups.failed(step.id, disorderOf(error));
    throw error;
  } finally {
    informing.cancel();
    await informed;
  }
}

/**
 * Starts the child. After a Reset of the root to before that, the child of the former run may still be there: it lets go
 * of its hosts, and the new one begins.
 */
async function start(step: GroupStep, run: StepRun): Promise<ChildWorkflowHandle<GroupWorkflow>> {
  for (;;) {
    const workflowId = run.groups.workflowIdOf(step.id);
    try {
      return await startChild<GroupWorkflow>('runGroup', {
        workflowId,
        args: [inputOf(step, run)],
        memo: { build: run.build, format: run.format },
        parentClosePolicy: ParentClosePolicy.TERMINATE,
        workflowIdReusePolicy: 'ALLOW_DUPLICATE',
        cancellationType: 'WAIT_CANCELLATION_COMPLETED',
        workflowTaskTimeout: '5 seconds',
        staticSummary: step.title.slice(0, 66),
      });
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError) || run.ledger.closing() !== undefined) throw error;
      await getExternalWorkflowHandle(workflowId)
        .cancel()
        .catch(() => {});
      await sleep(PAUSE_UNTIL_FREE);
    }
  }
}

function inputOf({ id, members }: GroupStep, run: StepRun): GroupInput {
  const { root, planHash, format, build, patienceMs, cluster } = run;
  const { ended, without } = newsFor(members.outside, run);
  const hosts = [...new Set(members.steps.flatMap(({ host }) => host ?? []))];
  // The group's name is in its id.
  const steps = members.steps.map(({ group: _, ...step }) => step);
  return {
    group: id,
    root,
    cluster,
    planHash,
    format,
    build,
    patienceMs,
    ...(run.leavesOutUnreachable ? { unreachableWorkers: 'leave-out' } : {}),
    steps,
    awaited: members.awaited,
    hosts,
    ended,
    without,
  };
}

function newsFor(outside: string[], { ledger }: StepRun): GroupNews {
  return { ended: outside.flatMap((id) => ledger.ending(id) ?? []), without: ledger.hostsLeftOut() };
}

/** Tells the child each time that something has changed. */
async function keepInformed(step: GroupStep, run: StepRun): Promise<void> {
  const { outside } = step.members;
  const measure = (): string => {
    const { ended, without } = newsFor(outside, run);
    return `${ended.length} ${without.length}`;
  };
  // What was known at its start stands in its input.
  let told = measure();
  const child = getExternalWorkflowHandle(run.groups.workflowIdOf(step.id));
  for (;;) {
    await condition(() => measure() !== told);
    told = measure();
    await child.signal(newsSignal, newsFor(outside, run)).catch(ifEnded);
  }
}

/** An abort of the run is handed on, for the child stops its own commands; cancelling it would only let go of them. */
async function abortWithRun(step: GroupStep, { ledger, groups }: StepRun): Promise<void> {
  await condition(() => ledger.closing() === 'aborted');
  const { by, reason } = ledger.decisionsSoFar().findLast(({ verb }) => verb === 'abort') ?? {};
  const decision = { number: 0, verb: 'abort' as const, decision: { by, reason } };
  await getExternalWorkflowHandle(groups.workflowIdOf(step.id)).signal(decisionSignal, decision).catch(ifEnded);
}

/** An aborted child says what it could not bring to order; the root says it for all of them. */
function disorderOf(error: unknown): Pick<FailureDetails, 'left' | 'unclean'> {
  if (!(error instanceof ChildWorkflowFailure) || !(error.cause instanceof ApplicationFailure)) return {};
  const { left, unclean } = (error.cause.details?.[0] ?? {}) as FailureDetails;
  return { left, unclean };
}
