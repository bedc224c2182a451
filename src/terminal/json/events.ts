import type { Phase } from '../../plan/types.js';
import type { BlockedStep, DecisionRecord, FailedTry, RunState, StepState } from '../../workflows/types.js';

/**
 * What happened between two moments of an install: the lines of a log and, one JSON object a line, the output of `--json`.
 * Fields are only ever added; docs/json.md is made from these types.
 */
export type ProgressEvent =
  | PlanEvent
  | StepEvent
  | RetryEvent
  | FailedEvent
  | WaitingEvent
  | BlockedEvent
  | DecisionEvent
  | StateEvent;

/**
 * The steps of the install, before anything is told of them.
 * @printedBy install, rotate-encryption-key, reset, drill, watch
 */
export interface PlanEvent {
  type: 'plan';
  /** Name of the cluster. */
  cluster: string;
  /** All steps, in the order in which they are shown. */
  steps: {
    /** Id of the step, such as `cp-2/join`. */
    id: string;
    /** Phase of the install. */
    phase: Phase;
    /** Host of the step; null for what concerns all of them. */
    host: string | null;
    /** What the step does, for people. */
    title: string;
  }[];
}

/**
 * A step that began, ended or was skipped.
 * @printedBy install, rotate-encryption-key, reset, drill, watch
 */
export interface StepEvent {
  type: 'step';
  /** Id of the step, such as `cp-2/join`. */
  step: string;
  /** Host of the step; null for what concerns all of them. */
  host: string | null;
  /** Phase of the install. */
  phase: Phase;
  /** What the step does, for people. */
  title: string;
  /** The state it came into. One that waits for a person has an object `blocked` of its own instead. */
  state: StepState;
  /** Of a step that is done: whether it changed something. */
  outcome?: 'changed' | 'unchanged';
  /** Of a step that is done: what was found or done, one sentence. */
  summary?: string;
  /** When it came into this state, milliseconds since the epoch. */
  at?: number;
  /** How long it took, milliseconds. Only for a step that has ended. */
  durationMs?: number;
}

/**
 * A try that met what may heal by itself, and will be made again without anybody's help.
 * @printedBy install, rotate-encryption-key, reset, drill, watch
 */
export interface RetryEvent {
  type: 'retry';
  /** Id of the step. */
  step: string;
  /** Host of the step; null for what concerns all of them. */
  host: string | null;
  /** Number of the try that comes. */
  attempt: number;
  /** Why the last one failed. */
  failure: string;
}

/**
 * A try that failed and counts; the next one follows by itself. Told the moment it happens.
 * @printedBy install, rotate-encryption-key, reset, drill, watch
 */
export interface FailedEvent extends FailedTry {
  type: 'failed';
  /** Id of the step. */
  step: string;
}

/**
 * Why a step is not done yet: when the reason changes, and once a minute.
 * @printedBy install, rotate-encryption-key, reset, drill, watch
 */
export interface WaitingEvent {
  type: 'waiting';
  /** Id of the step. */
  step: string;
  /** Host of the step; null for what concerns all of them. */
  host: string | null;
  /** What it waits for, the last line of its output, or why its last try failed. */
  reason: string;
  /** Number of the try that runs or comes. */
  attempt: number;
  /** Since the step began, milliseconds. */
  durationMs?: number;
}

/**
 * A step waits for a person: `retry`, `skip` or `abort`.
 * @printedBy install, rotate-encryption-key, reset, drill, watch
 */
export interface BlockedEvent extends BlockedStep {
  type: 'blocked';
}

/**
 * Somebody has decided on blocked steps.
 * @printedBy install, rotate-encryption-key, reset, drill, watch
 */
export interface DecisionEvent extends DecisionRecord {
  type: 'decision';
}

/**
 * The install as a whole came into another state.
 * @printedBy install, rotate-encryption-key, reset, drill, watch
 */
export interface StateEvent {
  type: 'state';
  /** The state it came into. */
  state: RunState;
}
