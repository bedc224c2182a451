import { ApplicationFailure } from '@temporalio/common';
import { isKubewrightError, type KubewrightError, messageOf } from '../errors.js';

/** What travels in an ApplicationFailure's details; the workflow turns it into a BlockedStep. */
export interface FailureDetails {
  code: string;
  host: string | null;
  step: string | null;
  hint: string;
  output: string;
  /** Set when the failure may heal by itself and patience with it is used up: how long it lasted, in milliseconds. */
  waitedMs?: number;
}

/** Longest output that goes into a history: enough to see the cause, small beside Temporal's 2 MB limit on payloads. */
const MAX_OUTPUT = 4_000;

/**
 * The one place where an error becomes a Temporal failure. Its type is the code. Transient errors stay retryable, so
 * Temporal's own attempts carry them; all others are thrown non-retryable and counted by the workflow (design decision 4).
 */
export function toApplicationFailure(error: unknown): ApplicationFailure {
  if (!isKubewrightError(error)) {
    return ApplicationFailure.create({ message: messageOf(error), type: 'KW499', nonRetryable: true });
  }
  const details: FailureDetails = {
    code: error.code,
    host: error.host ?? null,
    step: error.step ?? null,
    hint: error.hint ?? '',
    output: (error.output ?? '').slice(-MAX_OUTPUT),
  };
  return ApplicationFailure.create({
    message: sentence(error),
    type: error.code,
    nonRetryable: !error.transient,
    details: [details],
  });
}

/** The host first: in Temporal's UI the message is all that is seen at a glance. */
function sentence(error: KubewrightError): string {
  return error.host === undefined ? error.message : `${error.host}: ${error.message}`;
}
