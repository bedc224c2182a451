/**
 * Every error a user can meet. One class, because what differs between errors is data, not behaviour: a stable code,
 * the host, the step, and what to do next. `terminal/` renders it; `activities/` maps it to a Temporal failure.
 *
 * Codes: KW1xx cluster.yaml · KW2xx hosts and SSH · KW3xx preflight · KW4xx steps and remote commands ·
 * KW5xx Temporal and the worker · KW6xx the lab · KW7xx bundles and artifacts · KW8xx refused decisions.
 */
export interface ErrorFacts {
  /** What the user can do next, one or two sentences in the imperative. */
  hint?: string;
  /** Name of the host (from `cluster.yaml`), where there is one. */
  host?: string;
  /** Step id such as `cp-2/join`, where there is one. */
  step?: string;
  /** Last lines of output, already redacted. */
  output?: string;
  /**
   * True where waiting may heal it (a broken connection, a held lock): it is retried without counting against the step.
   * False (the default) where the same act would fail the same way again: it counts, and the step parks.
   */
  transient?: boolean;
  cause?: unknown;
}

/** An error that says what happened, where, and what to do next. */
export class KubewrightError extends Error {
  readonly code: string;
  readonly hint: string | undefined;
  readonly host: string | undefined;
  readonly step: string | undefined;
  readonly output: string | undefined;
  readonly transient: boolean;

  /**
   * @param code stable code, `KW` and three digits
   * @param message what happened, in one sentence, without the host's name when `facts.host` is given
   */
  constructor(code: string, message: string, facts: ErrorFacts = {}) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.name = 'KubewrightError';
    this.code = code;
    this.hint = facts.hint;
    this.host = facts.host;
    this.step = facts.step;
    this.output = facts.output;
    this.transient = facts.transient ?? false;
  }
}

/** True for errors made by this project, also across module realms (tests bundle modules twice). */
export function isKubewrightError(error: unknown): error is KubewrightError {
  return error instanceof Error && error.name === 'KubewrightError' && 'code' in error;
}

/** A message for any thrown thing, never a stack trace. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
