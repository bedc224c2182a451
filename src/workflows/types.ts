import type { DrillReport, ScenarioReport } from '../plan/drill-report.js';
import type { HealthFinding, StepData } from '../plan/run.js';
import type { Sight } from '../plan/sight.js';
import type { Phase } from '../plan/types.js';

/** Long enough for a reboot with a memory test, short enough that nobody waits an hour for a host that is switched off. */
export const DEFAULT_PATIENCE_MS = 10 * 60_000;

/** What a query is told that came before a workflow task (see `early-queries.ts`). */
export const ASK_AGAIN =
  'Something has just happened in this run that no worker has taken up yet. Ask again in a moment.';

/**
 * `blocked`: it waits for a person. `skipped`: left out by decision, or by an abort. `failed`: it could not be done, and the
 * run went on; only in operations that report instead of asking.
 */
export type StepState = 'waiting' | 'running' | 'done' | 'blocked' | 'skipped' | 'failed';

/** Whether nothing of the step is to be done any more. */
export function hasEnded({ state }: Pick<StepProgress, 'state'>): boolean {
  return state === 'done' || state === 'skipped' || state === 'failed';
}

/** Where one step stands. */
export interface StepProgress {
  /** Such as `cp-2/join`. */
  id: string;
  /** What the step does, for people. */
  title: string;
  /** Phase of the install. */
  phase: Phase;
  /** Host of the step; null for what concerns all of them. */
  host: string | null;
  /** Where it stands. */
  state: StepState;
  /** Milliseconds since the epoch. */
  startedAt?: number;
  /** Milliseconds since the epoch. */
  endedAt?: number;
  /** Of a step that is done: whether it changed something. */
  outcome?: 'changed' | 'unchanged';
  /** Of a step that is done: what was found or done, one sentence. */
  summary?: string;
  /** Of a step that is done: what it hands on to later steps and to reports. */
  data?: StepData;
  /** Of a step of a drill that is done: what was measured in one scenario. */
  measured?: ScenarioReport;
  /** Of a step that only looks: what is wrong. */
  findings?: HealthFinding[];
  /** How many more findings there were than it reports. */
  more?: number;
  /** Of a step that only looks: what it has seen besides. */
  seen?: Sight;
  /** Why its last try failed; while it is tried again by itself, and of a step that has failed. */
  failed?: FailedTry;
}

/** A try that failed and counts; the next one follows by itself. */
export interface FailedTry {
  /** Stable code, `KW` and three digits. */
  code: string;
  /** What happened. */
  message: string;
  /** What to do about it; may be empty. */
  hint: string;
  /** Host where it happened. */
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
  /** Id of the step. */
  step: string;
  /** Host where it happened. */
  host: string | null;
  /** Number of this blocking within the run, from 1: a decision that names an older one is ignored. */
  blocking: number;
  /** Stable code, `KW` and three digits. */
  code: string;
  /** What happened. */
  message: string;
  /** What to do about it; may be empty. */
  hint: string;
  /** Last lines of output, redacted. */
  output: string;
  /** Tries that counted; 0 for one that is still tried. */
  tries: number;
  /** Milliseconds since the epoch. */
  since: number;
  /** Whether `skip` is taken for it. */
  skippable: boolean;
  /**
   * True for a step in trouble that may heal by itself (a host that does not answer) once its patience is used up: a
   * person is asked, it is tried all the same, and goes on by itself when the trouble is over.
   */
  retrying?: true;
}

/** `cancelled`: somebody cancelled the workflow; activities let go of their hosts, durable commands there run on. */
export type RunState = 'running' | 'blocked' | 'done' | 'aborted' | 'cancelled';

/** Answer of the `progress` query. */
export interface RunProgress {
  /** Name of the cluster. */
  cluster: string;
  /** Where the run as a whole stands. */
  state: RunState;
  /** All steps, in the order of the plan. The workflow itself answers with those that no group carries out. */
  steps: StepProgress[];
  /** Those that wait for a person. The workflow itself answers with the first few of each group. */
  blocked: BlockedStep[];
  /** The latest decisions; none where `source` is `history`. */
  decisions: DecisionRecord[];
  /** The groups of a run of more than fifty hosts, as far as their root has heard of them. */
  groups?: GroupProgress[];
}

/** Where a group of hosts stands, whose steps a child workflow carries out. */
export interface GroupProgress {
  /** Such as `group-07`. */
  id: string;
  /** How many hosts, from which to which. */
  title: string;
  /** The child workflow, `cluster/NAME/group-07`. */
  workflowId: string;
  /** Its first run; missing while it is not started. */
  runId?: string;
  /** Of the group as a whole; `blocked` when it was ended from outside and waits for a person itself. */
  state: StepState;
  /** How many steps it has. */
  steps: number;
  /** How many of them have ended. */
  ended: number;
  /** How many of them wait for a person. */
  blocked: number;
}

/** What a group tells its root, each time all of it: a report that is lost or comes twice does no harm. */
export interface GroupReport {
  group: string;
  /** First run of the child that reports. */
  runId: string;
  /** Its earliest phase that has something to do. */
  phase: string;
  ended: number;
  blocked: number;
  /** Ids of blocked steps, as many as fit. */
  names: string[];
  /** The first few of them, shortened. */
  shown: BlockedStep[];
  /** Steps of other workflows for which everything here has ended that they need. */
  fulfilled: string[];
  /** Hosts that were left out here. */
  leftOut: string[];
}

/** What a root tells a group: what has ended elsewhere, and which hosts were left out, each time all of it. */
export interface GroupNews {
  ended: EndedElsewhere[];
  without: string[];
}

/** Something that steps of a group need, and that another workflow has brought to its end. */
export interface EndedElsewhere {
  /** Id of a step of the root, or a wait for another group (see `plan/cut.ts`). */
  id: string;
  data?: StepData;
}

/** A decision on steps of a group, handed on by its root. */
export interface HandedDecision {
  /** Number of the question, so that the answer finds it. */
  number: number;
  verb: Verb;
  decision: Decision;
}

/** What a group says to such a decision. */
export interface GroupAnswer {
  group: string;
  number: number;
  /** Steps that it took effect on. */
  steps?: string[];
  /** Why it did not. */
  refusal?: { code: string; message: string; hint: string };
}

/** The decisions that a person can take. */
export const VERBS = ['retry', 'skip', 'abort'] as const;

/** Name of a decision. */
export type Verb = (typeof VERBS)[number];

/** A decision on blocked steps. */
export interface DecisionRecord {
  /** Number of the decision within the run, from 1; missing in runs of 0.1.0. */
  number?: number;
  /** What was decided. */
  verb: Verb;
  /** The steps it was about: the first twenty. */
  steps: string[];
  /** How many more there were. */
  more?: number;
  /** Why, as the sender says. */
  reason?: string;
  /** Who decided, as the sender says; the history's events carry the identity that Temporal saw. */
  by?: string;
  /** Milliseconds since the epoch. */
  at: number;
  /** How it was sent: an update is answered, a signal is kept until a worker runs. */
  via: 'update' | 'signal';
  /** Why it had no effect; only signals get this far, a wrong update is refused. */
  ignored?: string;
}

/** The one optional JSON object of `retry`, `skip` and `abort`. */
export interface Decision {
  /**
   * A step id; `*` for all blocked ones; an id with `*` in place of the host for that step of all hosts; may be left out when
   * only one is blocked.
   */
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
  /** Of a group that was aborted with its run: ids of steps whose commands may still run, and of cleanup that failed. */
  left?: string[];
  unclean?: string[];
}

/** What came of an install that ended well. */
export interface RunResult {
  /** Name of the cluster. */
  cluster: string;
  /** How many steps changed something. */
  changed: number;
  /** How many found their result true already. */
  unchanged: number;
  /** Ids of the steps that were left out by decision. */
  skipped: string[];
  /** Ids of the steps that failed, where the operation reports that instead of asking; missing when none did. */
  failed?: string[];
  /**
   * Workers that never answered and were left out because the run was told to; missing when there are none. They are not
   * part of the cluster.
   */
  unreachable?: string[];
  /** What steps that only look have found; missing when they found nothing. */
  findings?: HealthFinding[];
  /** How many more findings there were than are named. */
  more?: number;
  /** What steps that only look have seen besides; missing when they have told nothing. */
  seen?: Sight;
  /** What a drill has measured, each scenario; missing where it has measured nothing. */
  measured?: ScenarioReport[];
  /** What came of a drill. */
  drill?: DrillReport;
}

/**
 * What came of a group, with how each of its steps ended: who looks at the run reads it there. A query would have a worker carry
 * out the group's whole history anew, for a workflow that has ended is kept by none.
 */
export interface GroupResult extends RunResult {
  steps: StepProgress[];
}
