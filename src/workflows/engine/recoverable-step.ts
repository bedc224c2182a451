import { ActivityFailure, ChildWorkflowFailure } from '@temporalio/common';
import {
  type ActivityOptions,
  CancellationScope,
  condition,
  isCancellation,
  proxyActivities,
  sleep,
} from '@temporalio/workflow';
import type { WorkerActivities } from '../../activities/types.js';
import type { RunReference, StepOutput, StepReference } from '../../plan/run.js';
import type { Step } from '../../plan/types.js';
import type { Attempts } from './attempts.js';
import { readFailure, type StepFailure } from './failure.js';
import type { GroupBooks } from './group-books.js';
import { carryOutGroup } from './group-step.js';
import type { Lanes } from './lanes.js';
import type { Ledger } from './ledger.js';
import { TRIES } from './tries.js';
import { isGroup, type Unit } from './units.js';

const PAUSE_BETWEEN_TRIES = '2 seconds';

/** A summary is at most 200 bytes of UTF-8; a title of 66 characters always fits. */
export const SUMMARY_CHARACTERS = 66;

export const HEARTBEAT_TIMEOUT = '10 seconds';
/** In groups: hundreds of steps run at once there, and the server writes each heartbeat to its database. */
export const HEARTBEAT_TIMEOUT_IN_GROUPS = '20 seconds';
export const BACK_OFF = { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '5 seconds' } as const;

/**
 * How a step's activity runs.
 *
 * - Attempts are unlimited and nothing bounds the time from schedule to close: a lost worker, a missed heartbeat or a
 *   broken connection never counts against a step. Deterministic failures come back non-retryable; `recoverableStep`
 *   counts those. So does a step that runs into its limit: the activity ends itself shortly before it (KW434), and where
 *   it cannot, the server is told not to try again by itself but to say so (`TemporalTimeout:StartToClose`).
 * - Heartbeats are few, see `Pulses`: a hosted Temporal bills each. 10 s without one (20 s in groups) is a dead worker; with
 *   less, a busy machine would be taken for one.
 * - The back-off ends at 5 s. Both together bound the recovery after `kill -9` to 16 s (26 s in groups), also after
 *   several in a row, and a host that comes back is found within 5 s.
 * - A cancelled activity lets go of its host before the workflow goes on (WAIT_CANCELLATION_COMPLETED): the run is not
 *   over, and its name not free for the next install, while something of it still talks to a host. A dead worker delays
 *   that by the heartbeat's timeout at most.
 */
export function stepOptions(step: Step, heartbeatTimeout: HeartbeatTimeout = HEARTBEAT_TIMEOUT): ActivityOptions {
  return {
    activityId: step.id,
    summary: step.title.slice(0, SUMMARY_CHARACTERS),
    startToCloseTimeout: `${step.timeoutMinutes} minutes`,
    heartbeatTimeout,
    retry: { ...BACK_OFF, nonRetryableErrorTypes: ['TemporalTimeout:StartToClose'] },
    cancellationType: 'WAIT_CANCELLATION_COMPLETED',
  };
}

type HeartbeatTimeout = typeof HEARTBEAT_TIMEOUT | typeof HEARTBEAT_TIMEOUT_IN_GROUPS;

export interface StepRun {
  /** Name of the cluster. */
  cluster: string;
  /** The command that goes on with a run that was given up; `install` unless given. */
  command?: string;
  ledger: Ledger;
  /** The groups of this run; none in a group, and in a run of few hosts. */
  groups: GroupBooks;
  /** The run whose input holds cluster and plan: this one, or the one that this is a group of. */
  root: RunReference;
  planHash: string;
  format: number;
  build: string;
  lanes: Lanes;
  /** How long trouble that may heal by itself may last before a person is asked, in milliseconds. */
  patienceMs: number;
  /** Whether a worker that has not answered for so long is left out instead of asked about. */
  leavesOutUnreachable: boolean;
  /** The tries that are under way, so that a decision can end them. */
  attempts: Attempts;
  /** How long a step may be silent before its worker counts as dead; `HEARTBEAT_TIMEOUT` unless given. */
  heartbeatTimeout?: HeartbeatTimeout;
  /** Called after every change of the ledger. */
  publish(): void;
}

/**
 * Carries a step through to its end: waits for what it needs, tries it, parks it when it cannot succeed by itself, and
 * tries again when a person says so. Trouble that may heal by itself never parks it: once patience is used up a person
 * is asked, while it is tried on. Returns when the step is done or left out; rejects only when the run is cancelled or
 * aborted.
 */
export async function recoverableStep(step: Unit, run: StepRun): Promise<void> {
  const { ledger, lanes } = run;
  do {
    await condition(
      () => (ledger.isReady(step) && !ledger.givesWay(step) && lanes.hasRoomFor(step)) || ledger.isLeftOut(step),
    );
    // Asked again: of several whose condition held in the same moment, another one may have gone in meanwhile.
  } while (!ledger.isLeftOut(step) && !lanes.enter(step));
  try {
    await throughToItsEnd(step, run);
  } finally {
    lanes.leave(step);
  }
}

async function throughToItsEnd(step: Unit, run: StepRun): Promise<void> {
  const { ledger } = run;
  let tries = 0;
  while (!ledger.isLeftOut(step)) {
    ledger.started(step);
    run.publish();
    const ending = await attempt(step, run);
    if (ending === 'done') return run.publish();
    if (ending === 'let-go') continue;
    // A group has ended with the run that is being aborted; as a failed try it would be begun anew.
    if (isGroup(step) && ledger.closing() !== undefined) break;
    if (isUnreachable(ending) && run.leavesOutUnreachable && ledger.canDoWithout(step)) {
      ledger.leftUnreachable(step);
      run.attempts.letGo(ledger.leftOutSteps());
      continue;
    }
    if (ending.waitedMs !== undefined && step.onFailure !== 'report') {
      ledger.asked(step, ending);
      continue;
    }
    tries += 1;
    if (step.onFailure === 'report' && (tries >= TRIES || ending.waitedMs !== undefined)) {
      ledger.reported(step, ending);
      return run.publish();
    }
    if (tries < TRIES) {
      ledger.failed(step, ending, tries);
      run.publish();
      await sleep(PAUSE_BETWEEN_TRIES);
    } else if (!ledger.isLeftOut(step)) {
      ledger.parked(step, ending, tries);
      run.publish();
      await condition(() => !ledger.isBlocked(step) || ledger.isLeftOut(step));
      tries = 0;
    }
  }
  ledger.skipped(step);
  run.publish();
}

/** Its host has not answered for as long as patience lasts: KW2xx are failures of the connection. */
function isUnreachable({ code, waitedMs }: StepFailure): boolean {
  return waitedMs !== undefined && code.startsWith('KW2');
}

/** `let-go`: a decision ended the try, see `Attempts`. */
async function attempt(step: Unit, run: StepRun): Promise<'done' | 'let-go' | StepFailure> {
  const scope = new CancellationScope();
  try {
    const output = await run.attempts.during(step, scope, () => carryOut(step, run));
    run.ledger.finished(step, output);
    return 'done';
  } catch (error) {
    // An activity that says "cancelled" when nobody cancelled it is a failure like any other, or its step would be
    // lost.
    if (isCancellation(error) && CancellationScope.current().consideredCancelled) throw error;
    if (isCancellation(error) && scope.consideredCancelled) return 'let-go';
    if (error instanceof ActivityFailure || error instanceof ChildWorkflowFailure) return readFailure(error, step);
    throw error;
  }
}

function carryOut(step: Unit, run: StepRun): Promise<StepOutput> {
  if (isGroup(step)) return carryOutGroup(step, run);
  const activities = proxyActivities<WorkerActivities>(stepOptions(step, run.heartbeatTimeout));
  // Once a person is asked, asking again would only make the history grow.
  const patienceMs = run.ledger.isAsked(step) ? undefined : patienceOf(step, run);
  return activities[step.action]({ ...referenceTo(step, run), patienceMs });
}

function patienceOf(step: Unit, run: StepRun): number {
  return step.patienceMinutes === undefined ? run.patienceMs : step.patienceMinutes * 60_000;
}

/** What a step's activity is called with: small, whatever the size of the cluster. */
export function referenceTo(step: Step, run: StepRun): StepReference {
  const { root, planHash, format, build, ledger } = run;
  const without = ledger.hostsLeftOut();
  const inputs = ledger.dataFor(step);
  return {
    root,
    planHash,
    step: step.id,
    format,
    build,
    ...(without.length === 0 ? {} : { without }),
    ...(inputs === undefined ? {} : { inputs }),
  };
}
