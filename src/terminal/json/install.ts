import type { DecisionOutcome, RunListing, RunSnapshot } from '../../engine/index.js';
import type { HealthVerdict } from '../../plan/findings.js';
import type { RunResult, Verb } from '../../workflows/types.js';

/**
 * An install has begun, or was found running.
 * @printedBy install, rotate-encryption-key, reset, drill
 */
export interface StartedObject {
  type: 'started';
  /** Name of the cluster. */
  cluster: string;
  /** The workflow in Temporal, `cluster/NAME`. */
  workflowId: string;
  /** The run of that workflow. */
  runId: string;
  /** True when the same install ran already, and is only followed from here. */
  attached: boolean;
  /** When the run that was found had begun, milliseconds since the epoch. */
  startedAt?: number;
  /** Build of Kubewright that planned the run that was found: version and commit. */
  build?: string;
  /** The Temporal server, host and port. */
  address: string;
  /** Address of the embedded server's UI, where it has one. */
  ui?: string;
}

/**
 * What the file says now against the install that runs with another plan; the error KW520 follows.
 * @printedBy install, rotate-encryption-key, reset, drill
 */
export interface DifferencesObject {
  type: 'differences';
  /** One difference a line, for people. Empty when only the version of Kubewright differs. */
  lines: string[];
}

/**
 * The install has ended well.
 * @printedBy install, rotate-encryption-key, reset, drill, watch
 */
export interface ResultObject extends RunResult {
  type: 'result';
  /** From the start of the run to its end, milliseconds. */
  durationMs: number;
  /** What is left to a person before the cluster can be used, such as the pod network of `plugin: none`; missing where nothing is. */
  leftToDo?: string[];
}

/**
 * Time is up (`--timeout`); the install goes on, and the exit code is 4.
 * @printedBy install, rotate-encryption-key, reset, drill, watch
 */
export interface TimeoutObject {
  type: 'timeout';
  /** Name of the cluster. */
  cluster: string;
  /** What `--timeout` said, milliseconds. */
  timeoutMs: number;
}

/**
 * Ctrl-C, or `server stop` in another terminal. The install waits where it stands, goes on with a worker elsewhere, or was not
 * begun.
 * @printedBy install, rotate-encryption-key, reset, drill
 */
export interface InterruptedObject {
  type: 'interrupted';
  /** Name of the cluster. */
  cluster: string;
}

/**
 * A decision was sent.
 * @printedBy retry, skip, abort
 */
export interface DecidedObject extends Partial<DecisionOutcome> {
  type: 'decided';
  /** Name of the cluster. */
  cluster: string;
  /** What was decided. */
  verb: Verb;
  /** `abort --force`: the run was ended without being asked, and none of the fields above is there. */
  force?: true;
}

/**
 * Everything that is known of one install.
 * @printedBy status
 */
export interface InstallObject extends RunSnapshot {
  type: 'install';
  /** What the cluster's latest health check said; absent where none has looked, or the server does not tell. */
  health?: HealthSummary;
}

/** A health check in short. */
export interface HealthSummary {
  /** How the cluster was. */
  verdict: HealthVerdict;
  /** When the check ended, milliseconds since the epoch. */
  at: number;
  /** Since when no scheduled check has ended although some were due, milliseconds since the epoch. */
  silentSince?: number;
}

/**
 * One install of several.
 * @printedBy status
 */
export interface ListingObject extends RunListing {
  type: 'listing';
}
