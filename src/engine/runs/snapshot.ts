import { WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { messageOf } from '../../errors.js';
import { OPERATIONS, operationOf } from '../../plan/operations.js';
import type { FailureDetails, RunProgress, RunResult } from '../../workflows/types.js';
import type { Engine, RunSnapshot } from '../types.js';
import { pinnedBuild } from '../versions/pinned.js';
import { askWorkflow, type Description, pendingActivities, statusOf } from './ask.js';
import { type GroupMemory, lookAtGroups } from './groups.js';
import { progressFromHistory } from './history.js';
import { buildIn } from './memo.js';
import { otherThanInstall } from './operation-of-run.js';
import { mayBeAnswered } from './pollers.js';
import { taskFailure } from './task-failure.js';

/** What the last snapshot knew: progress changes only with the history, so it is asked for only then. */
export interface Remembered {
  runId: string;
  events: number;
  progress: RunProgress;
  source: RunSnapshot['source'];
  /** Of a run that has groups. */
  groups?: GroupMemory;
}

/**
 * Takes one snapshot of the workflow that has the id now: after a Reset that is the new run.
 *
 * @param memory what the last call returned as such; saves asking the worker while nothing has happened
 */
export async function takeSnapshot(
  engine: Engine,
  workflowId: string,
  memory?: Remembered,
): Promise<{ snapshot: RunSnapshot; memory: Remembered }> {
  const description = await engine.client.workflow.getHandle(workflowId).describe();
  const { runId } = description;
  const events = Number(description.historyLength);
  const fresh = memory?.runId === runId && memory.events === events && memory.source === 'worker';
  const status = statusOf(description.status.name);
  const taskAttempts = description.raw.pendingWorkflowTask?.attempt ?? undefined;
  const failing = await taskFailure(engine, workflowId, runId, taskAttempts);
  const known = fresh ? memory : await progressOf(engine, description, memory, failing !== undefined);
  const whole = await lookAtGroups(engine, { workflowId, runId }, known);
  const snapshot: RunSnapshot = {
    progress: whole.progress,
    activities: { ...(await pendingActivities(engine, description)), ...whole.activities },
    workflowId,
    runId,
    build: buildIn(description.memo),
    pinnedTo: pinnedBuild(description.raw.workflowExecutionInfo),
    ...otherThanInstall(description.type),
    status,
    source: whole.source,
    startedAt: description.startTime.getTime(),
    closedAt: description.closeTime?.getTime(),
    events,
    taskAttempts,
    taskFailure: failing,
    ...(status === 'running' ? {} : await ending(engine, description)),
  };
  return { snapshot, memory: { ...known, groups: whole.memory } };
}

/** Asks the workflow, through its worker; where none can answer, or it fails at this run, the history is read. */
async function progressOf(
  engine: Engine,
  description: Description,
  memory: Remembered | undefined,
  failing: boolean,
): Promise<Remembered> {
  const { workflowId, runId, taskQueue } = description;
  const events = Number(description.historyLength);
  const pinned = pinnedBuild(description.raw.workflowExecutionInfo);
  // One that has just answered is asked without further ado.
  const ask = !failing && (memory?.source === 'worker' || (await mayBeAnswered(engine, taskQueue, pinned)));
  const asked = ask ? await askWorkflow(engine, workflowId, runId) : undefined;
  if (asked !== undefined) return { runId, events, progress: asked, source: 'worker' };
  // A long history is read once, not at each look.
  if (memory?.runId === runId && memory.events === events) return { ...memory, source: 'history' };
  return { runId, events, progress: await progressFromHistory(engine, workflowId, runId), source: 'history' };
}

/** How a closed run ended. Asked of that run alone, so it never waits and never follows another one. */
async function ending(
  engine: Engine,
  { workflowId, runId, type }: Description,
): Promise<Pick<RunSnapshot, 'result' | 'failure'>> {
  try {
    const handle = engine.client.workflow.getHandle(workflowId, runId, { followRuns: false });
    return { result: (await handle.result()) as RunResult };
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) throw error;
    const operation = operationOf(type) ?? 'install';
    return { failure: failureOf(error.cause, OPERATIONS[operation].mutating ? operation : 'install') };
  }
}

function failureOf(cause: Error | undefined, command: string): RunSnapshot['failure'] {
  if (cause instanceof ApplicationFailure) {
    const details = cause.details?.[0] as FailureDetails | undefined;
    return { code: cause.type ?? 'KW499', message: cause.message, hint: details?.hint ?? '' };
  }
  return {
    code: 'KW522',
    message: `The run was ended from outside: ${messageOf(cause)}`,
    hint:
      command === 'drill'
        ? 'Where it was not put back, hosts undo within some minutes what was broken there, but for their power: see docs/drills.md.'
        : `Nothing was rolled back. \`kubewright ${command}\` goes on from what stands on the hosts.`,
  };
}
