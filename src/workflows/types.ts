import type { Cluster } from '../cluster/types.js';
import type { Phase, Step } from '../plan/types.js';

export interface InstallInput {
  cluster: Cluster;
  plan: Step[];
  /** SHA-256 of cluster and plan, in canonical JSON: the same plan attaches, another is refused. */
  planHash: string;
  /** Version of Kubewright that made the plan. */
  build: string;
  /**
   * Whether the namespace knows Kubewright's search attributes; the client asks at start. An upsert of one that is not
   * registered fails the workflow task again and again, so where this is false or missing the workflow writes none.
   */
  searchAttributes?: boolean;
  /**
   * How long a step may be in trouble that may heal by itself, such as a host that does not answer, before a person is
   * asked; milliseconds. Missing in runs of 0.1.0: DEFAULT_PATIENCE_MS.
   */
  patienceMs?: number;
}

/** Long enough for a reboot with a memory test, short enough that nobody waits an hour for a host that is switched off. */
export const DEFAULT_PATIENCE_MS = 10 * 60_000;

export type StepState = 'waiting' | 'running' | 'done' | 'blocked' | 'skipped';

export interface StepProgress {
  id: string;
  title: string;
  phase: Phase;
  host: string | null;
  state: StepState;
  /** Milliseconds since the epoch. */
  startedAt?: number;
  endedAt?: number;
  outcome?: 'changed' | 'unchanged';
  summary?: string;
  /** Why its last try failed; only while it is tried again by itself. */
  failed?: FailedTry;
}

/** A try that failed and counts; the next one follows by itself. */
export interface FailedTry {
  code: string;
  message: string;
  hint: string;
  host: string | null;
  /** Last lines of output, redacted. */
  output: string;
  /** Number of the try, from 1. */
  tries: number;
  /** Milliseconds since the epoch. */
  at: number;
}

/** A step that waits for a person: what went wrong and what can be done. */
export interface BlockedStep {
  step: string;
  host: string | null;
  /** Number of this blocking within the run, from 1: a decision that names an older one is ignored. */
  blocking: number;
  code: string;
  message: string;
  hint: string;
  /** Last lines of output, redacted. */
  output: string;
  /** Tries that counted; 0 for one that is still tried. */
  tries: number;
  since: number;
  skippable: boolean;
  /**
   * True for a step in trouble that may heal by itself (a host that does not answer) once its patience is used up: a
   * person is asked, it is tried all the same, and goes on by itself when the trouble is over.
   */
  retrying?: true;
}

/** `cancelled`: somebody cancelled the workflow; activities let go of their hosts, durable commands there run on. */
export type InstallState = 'running' | 'blocked' | 'done' | 'aborted' | 'cancelled';

/** Answer of the `progress` query. */
export interface InstallProgress {
  cluster: string;
  state: InstallState;
  steps: StepProgress[];
  blocked: BlockedStep[];
  decisions: DecisionRecord[];
}

export const VERBS = ['retry', 'skip', 'abort'] as const;

export type Verb = (typeof VERBS)[number];

export interface DecisionRecord {
  /** Number of the decision within the run, from 1; missing in runs of 0.1.0. */
  number?: number;
  verb: Verb;
  steps: string[];
  reason?: string;
  /** Who decided, as the sender says; the history's events carry the identity that Temporal saw. */
  by?: string;
  at: number;
  via: 'update' | 'signal';
  /** Why it had no effect; only signals get this far, a wrong update is refused. */
  ignored?: string;
}

/** The one optional JSON object of `retry`, `skip` and `abort`. */
export interface Decision {
  /** A step id, `*` for all blocked ones; may be left out when only one is blocked. */
  step?: string;
  /** Required for `skip`. */
  reason?: string;
  /** Number of the blocking it answers; left out: the present one. */
  blocking?: number;
  /**
   * How many steps had ended when it was decided. A Reset gives earlier decisions to the new run again; one that was
   * made in view of more than the new run has done is not meant for it. The client fills it in.
   */
  seen?: number;
  /** Who decides, such as `anna@bastion`. */
  by?: string;
}

/** Answer of the updates. */
export interface DecisionResult {
  /** The steps it took effect on. */
  steps: string[];
  /** One sentence for people. */
  message: string;
}

/** First detail of every step's ApplicationFailure; its `type` is the error's code. Redacted by the activity. */
export interface FailureDetails {
  hint?: string;
  host?: string;
  step?: string;
  output?: string;
  /** Set when the failure may heal by itself and patience with it is used up: how long it lasted, in milliseconds. */
  waitedMs?: number;
}

export interface InstallResult {
  cluster: string;
  changed: number;
  unchanged: number;
  skipped: string[];
}
