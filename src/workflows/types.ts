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
}

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
}

/** A parked step: what went wrong and what a person can do. */
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
  tries: number;
  since: number;
  skippable: boolean;
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
}

export interface InstallResult {
  cluster: string;
  changed: number;
  unchanged: number;
  skipped: string[];
}
