import type { Cluster } from '../cluster/types.js';
import type { KubewrightError } from '../errors.js';
import type { RemoteHost } from '../hosts/types.js';
import type { Action, Step } from '../plan/types.js';
import type { Comparison } from './applied/difference.js';

/** The one object that goes into every step's activity. */
export interface StepInput {
  cluster: Cluster;
  step: Step;
  /** Version of Kubewright that made the plan; a worker of another version refuses it by name. */
  build: string;
  /**
   * How long trouble that may heal by itself may last before the try fails for good, so that the workflow asks a person;
   * milliseconds. Missing: for ever.
   */
  patienceMs?: number;
}

/** The one small object that comes out. */
export interface StepOutput {
  outcome: 'changed' | 'unchanged';
  /** One sentence for people: what was found or done. */
  summary: string;
}

export type Activities = Record<Action, (input: StepInput) => Promise<StepOutput>>;

/**
 * What the worker registers: every step's action, and `stopStep`, which an abort calls for each step that was running: it
 * stops the step's durable commands on their hosts and says how many. Cancelling an activity only lets go of them.
 */
export type WorkerActivities = Activities & { stopStep(input: StepInput): Promise<number> };

/** Heartbeat details: what the progress view shows while a step runs. Redacted before it gets here. */
export interface StepHeartbeat {
  /** `probe`, `apply`, `verify`, or `waiting for …`. */
  stage: string;
  /** Last line of output, at most 500 characters. */
  line: string;
  /** Since when one try after the other has failed in a way that may heal by itself; milliseconds since the epoch. */
  troubleSince?: number;
}

/** What a probe found. */
export interface Probe {
  /** True when the post-condition holds: nothing is to be done. */
  done: boolean;
  /** What is true already and what is not, for `plan` and for the step's summary. */
  found: string;
  /** What `apply` would change, one line each; empty when done. */
  changes: string[];
  /** What a person should know although it stops nothing, one line each. */
  warnings?: string[];
  /** What `apply` would throw, where the probe knows already that a person has to act first. */
  problem?: KubewrightError;
  /** What `cluster/applied` found between cluster.yaml and the living cluster; `plan` shows it as a list of its own. */
  comparison?: Comparison;
}

export interface StepContext {
  cluster: Cluster;
  step: Step;
  /** The step's own host. Throws for `cluster/…` steps. */
  host: RemoteHost;
  hostNamed(name: string): RemoteHost;
  /** Shown as the running step's last line. */
  progress(line: string): void;
  signal: AbortSignal;
  /** Names this very attempt of the step: the run, the step, and a number that no other attempt has. See `fence.ts`. */
  fence: string;
  /** Runs a durable command under this step's name; throws KW431 with the output's tail when it does not succeed. */
  durable(part: string, script: string, options: DurableOptions): Promise<string>;
}

export interface DurableOptions {
  timeoutSeconds: number;
  host?: RemoteHost;
  secrets?: () => Promise<Record<string, string | Buffer>>;
  /** Bash before the script that may differ with each attempt, such as a fence; see `DurableCommand.guard`. */
  guard?: string;
  /** What to do when it fails, in one sentence for the user. */
  hint?: string;
}

/**
 * How one action is carried out. `probe` never changes a host. After `apply` the probe is asked again (verify): a step is
 * done when its post-condition holds on the machine, never because `apply` returned.
 */
export interface StepImplementation {
  probe(context: StepContext): Promise<Probe>;
  apply(context: StepContext, found: Probe): Promise<void>;
}
