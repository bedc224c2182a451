import {
  type ActivityFailure,
  ApplicationFailure,
  type ChildWorkflowFailure,
  TimeoutFailure,
} from '@temporalio/common';
import type { FailureDetails } from '../types.js';
import { isGroup, type Unit } from './units.js';

/** What a person needs to know of a failed step. */
export interface StepFailure {
  code: string;
  message: string;
  hint: string;
  host: string | null;
  output: string;
  /** Set when the failure may heal by itself and patience with it is used up: how long it lasted, in milliseconds. */
  waitedMs?: number;
}

/** What a blocked step keeps of its output: enough to see the cause, small enough for the details page. */
const OUTPUT_LIMIT = 2000;

/**
 * Reads what an activity's failure says. Class identity does not survive the way through Temporal, so the code is the
 * failure's `type` and the rest its first detail (see FailureDetails).
 */
export function readFailure(error: ActivityFailure | ChildWorkflowFailure, step: Unit): StepFailure {
  const cause = error.cause;
  if (isGroup(step)) return endedFromOutside(step, cause);
  if (cause instanceof ApplicationFailure) return fromApplication(cause, step);
  if (cause instanceof TimeoutFailure && cause.timeoutType === 'START_TO_CLOSE') return outOfTime(step);
  return {
    code: 'KW499',
    message: messageOf(cause),
    hint: 'Look at the host and at the worker log, then retry the step.',
    host: step.host,
    output: '',
  };
}

/** The step had to be ended from outside. Mostly its activity does that a moment before, and knows more to say. */
function outOfTime(step: Unit): StepFailure {
  const place = step.host === null ? '' : `${step.host}: `;
  return {
    code: 'KW434',
    message: `${place}the step did not end within its limit of ${step.timeoutMinutes} minutes, and its worker did not end it`,
    hint: 'Look at the host and at the worker log for what it waits for, then retry the step.',
    host: step.host,
    output: '',
  };
}

/** Its steps never fail the workflow of a group: somebody has terminated, cancelled or aborted it by itself. */
function endedFromOutside(group: Unit, cause: Error | undefined): StepFailure {
  return {
    code: 'KW564',
    message: `the workflow of ${group.id} (${group.title}) was ended from outside: ${messageOf(cause)}`,
    hint: `\`kubewright retry ${group.id}\` begins it anew: what is done on its hosts stays done. To end everything, abort the run.`,
    host: null,
    output: '',
  };
}

function fromApplication(cause: ApplicationFailure, step: Unit): StepFailure {
  const details = (cause.details?.[0] ?? {}) as FailureDetails;
  const known = /^KW\d{3}$/.test(cause.type ?? '');
  return {
    code: known ? String(cause.type) : 'KW499',
    message: cause.message,
    hint: details.hint ?? 'Look at the host, mend the cause, then retry the step.',
    host: details.host ?? step.host,
    output: (details.output ?? '').slice(-OUTPUT_LIMIT),
    ...(details.waitedMs === undefined ? {} : { waitedMs: details.waitedMs }),
  };
}

function messageOf(cause: Error | undefined): string {
  return cause?.message ?? 'the step failed without a message';
}
