import {
  isGrpcDeadlineError,
  isGrpcServiceError,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
} from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { KubewrightError } from '../../errors.js';
import {
  type Decision,
  type DecisionResult,
  type FailureDetails,
  hasEnded,
  type RunProgress,
  type Verb,
} from '../../workflows/types.js';
import { type Engine, workflowIdOf } from '../types.js';
import { handOver } from '../versions/pinned.js';
import { askWorkflow, type Description } from './ask.js';
import { askedBy } from './pollers.js';
import { taskFailure } from './task-failure.js';

/** A worker that lives answers within milliseconds. */
const ANSWER_LIMIT_MS = 5_000;

/** What became of a decision. */
export interface DecisionOutcome {
  /** The run that it was decided on. */
  runId: string;
  /** `update`: the workflow has taken it. `signal`: it is kept, and taken when a worker runs. */
  via: 'update' | 'signal';
  /** Steps it took effect on; undefined when it was sent as a signal. */
  steps?: string[];
  /** One sentence for people. */
  message: string;
  /** Why workers fail at the run, when that is why nobody has answered. */
  failing?: string;
}

/**
 * Sends a decision about blocked steps to a cluster's install: as an Update where a worker answers, else as a Signal
 * that waits for one.
 *
 * @throws KubewrightError KW801 to KW809 when the workflow refuses it, KW811 when no install runs
 */
export async function decide(
  engine: Engine,
  cluster: string,
  verb: Verb,
  decision: Decision = {},
): Promise<DecisionOutcome> {
  const { runId, running, taskAttempts, raw } = await presentRun(engine, cluster);
  if (!running) throw nothingRuns(cluster);
  if (verb === 'abort') await giveToAnyVersion(engine, raw);
  const full = await completed(engine, cluster, runId, decision);
  try {
    if (full.answered) {
      const result = await update(engine, cluster, runId, verb, full.decision);
      if (result !== undefined) return { runId, via: 'update', ...result };
    }
    const handle = engine.client.workflow.getHandle(workflowIdOf(cluster), runId);
    await engine.client.connection.withDeadline(Date.now() + ANSWER_LIMIT_MS, () => handle.signal(verb, full.decision));
    const failing = await taskFailure(engine, workflowIdOf(cluster), runId, taskAttempts);
    return { runId, via: 'signal', message: keptBecause(verb, failing), failing };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) throw nothingRuns(cluster);
    throw error;
  }
}

/**
 * Gives a run that is to be aborted, and whose own workers are gone, to the current version: every version carries out an abort;
 * anything else is left to those that know the plan. A worker that has just been brought may not have asked for work yet, and gets
 * nothing then: ask again for as long as the abort waits.
 *
 * @param runId the run that was aborted; another one, which may have begun since, is left alone
 */
export async function handOverForAbort(engine: Engine, cluster: string, runId: string): Promise<void> {
  const present = await presentRun(engine, cluster).catch(() => undefined);
  if (present?.running && present.runId === runId) await giveToAnyVersion(engine, present.raw);
}

/** Where that cannot be done, the abort waits for the run's own workers like any other decision. */
async function giveToAnyVersion(engine: Engine, raw: Description['raw']): Promise<void> {
  await handOver(askedBy(engine), raw.workflowExecutionInfo, groupsOf(raw)).catch(() => undefined);
}

function keptBecause(verb: Verb, failing: string | undefined): string {
  if (failing === undefined) return `No worker answers: ${verb} is kept and will be taken when one runs.`;
  return `The workers fail at this run (${failing}): ${verb} is kept and will be taken when that is mended.`;
}

/**
 * Ends a run without asking it: for one that cannot be aborted, because its workers fail at it or none can be had.
 * Commands that it started on hosts run on, and the next install finds them.
 *
 * @throws KubewrightError KW811 when no install runs
 */
export async function endRun(engine: Engine, cluster: string, reason: string | undefined): Promise<void> {
  const { runId, running } = await presentRun(engine, cluster);
  if (!running) throw nothingRuns(cluster);
  const by = engine.client.options.identity;
  try {
    const handle = engine.client.workflow.getHandle(workflowIdOf(cluster), runId);
    const end = () => handle.terminate(`ended by ${by}${reason === undefined ? '' : `: ${reason}`}`);
    await engine.client.connection.withDeadline(Date.now() + ANSWER_LIMIT_MS, end);
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) throw nothingRuns(cluster);
    throw error;
  }
}

/** Those that have not ended. */
function groupsOf({ pendingChildren }: Description['raw']): { workflowId: string }[] {
  return (pendingChildren ?? []).flatMap(({ workflowId }) => (workflowId ? [{ workflowId }] : []));
}

interface PresentRun {
  runId: string;
  running: boolean;
  taskAttempts: number | undefined;
  raw: Description['raw'];
}

async function presentRun(engine: Engine, cluster: string): Promise<PresentRun> {
  try {
    const { runId, status, raw } = await engine.client.workflow.getHandle(workflowIdOf(cluster)).describe();
    const running = status.name === 'RUNNING' || status.name === 'PAUSED';
    return { runId, running, taskAttempts: raw.pendingWorkflowTask?.attempt ?? undefined, raw };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) throw nothingRuns(cluster);
    throw error;
  }
}

/**
 * Says what the decision was made in view of: who, how many steps had ended, which blocking it answers. A Reset gives
 * it to the new run again, and an update that was given up here may still arrive beside the signal; both are then known
 * as stale.
 */
async function completed(
  engine: Engine,
  cluster: string,
  runId: string,
  decision: Decision,
): Promise<{ decision: Decision; answered: boolean }> {
  const by = decision.by ?? engine.client.options.identity;
  const progress = await askWorkflow(engine, workflowIdOf(cluster), runId, ANSWER_LIMIT_MS);
  if (progress === undefined) return { decision: { ...decision, by }, answered: false };
  // As the root knows it: its groups may be further by now.
  const inGroups = (progress.groups ?? []).reduce((sum, group) => sum + group.ended, 0);
  const seen = progress.steps.filter(hasEnded).length + inGroups;
  return {
    decision: { seen, ...decision, by, blocking: decision.blocking ?? blockingOf(decision, progress) },
    answered: true,
  };
}

function blockingOf(decision: Decision, progress: RunProgress): number | undefined {
  if (decision.step === '*') return undefined;
  if (decision.step !== undefined) return progress.blocked.find((step) => step.step === decision.step)?.blocking;
  if (progress.groups?.some(({ blocked }) => blocked > 0)) return undefined;
  return progress.blocked.length === 1 ? progress.blocked[0]?.blocking : undefined;
}

/** Undefined when no worker answered in time. */
async function update(
  engine: Engine,
  cluster: string,
  runId: string,
  verb: Verb,
  decision: Decision,
): Promise<DecisionResult | undefined> {
  const handle = engine.client.workflow.getHandle(workflowIdOf(cluster), runId);
  try {
    return await engine.client.connection.withDeadline(Date.now() + ANSWER_LIMIT_MS, () =>
      handle.executeUpdate<DecisionResult, [Decision]>(verb, { args: [decision] }),
    );
  } catch (error) {
    if (error instanceof WorkflowUpdateFailedError) throw refusal(error.cause);
    if (isUnanswered(error)) return undefined;
    throw error;
  }
}

function isUnanswered(error: unknown): boolean {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    if (isGrpcServiceError(at) && isGrpcDeadlineError(at)) return true;
  }
  return error instanceof Error && error.name === 'WorkflowUpdateRPCTimeoutOrCancelledError';
}

function refusal(cause: Error | undefined): KubewrightError {
  if (!(cause instanceof ApplicationFailure)) {
    return new KubewrightError('KW808', `The decision was not taken: ${cause?.message ?? 'no reason given'}`, {
      cause,
    });
  }
  const { hint } = (cause.details?.[0] ?? {}) as FailureDetails;
  // The failure's message holds the hint, for Temporal's UI shows nothing else; here it has a place of its own.
  const message = hint === undefined ? cause.message : cause.message.replace(`. ${hint}`, '');
  return new KubewrightError(cause.type ?? 'KW808', message, { hint, cause });
}

function nothingRuns(cluster: string): KubewrightError {
  return new KubewrightError('KW811', `No install of ${cluster} is running, so there is nothing to decide`, {
    hint: 'See `kubewright status`; `kubewright install cluster.yaml` starts or resumes one from what stands on the hosts.',
  });
}
