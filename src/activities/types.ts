import type { Cluster } from '../cluster/types.js';
import type { KubewrightError } from '../errors.js';
import type { RemoteHost } from '../hosts/types.js';
import type { ScenarioReport } from '../plan/drill-report.js';
import type { Operation } from '../plan/operations.js';
import type {
  CheckRequest,
  HealthFinding,
  RunInput,
  RunReference,
  SkippedCheck,
  StepData,
  StepOutput,
  StepReference,
  TellOutput,
  TellReference,
} from '../plan/run.js';
import type { DrillRequest, SkippedDrill } from '../plan/scheduled-drill.js';
import type { Sight } from '../plan/sight.js';
import type { Trends } from '../plan/trends.js';
import type { Action, Step } from '../plan/types.js';
import type { Comparison } from './applied/difference.js';
import type { Writer } from './lease/lease.js';

/** What a reference stands for, once it was looked up. */
export interface StepInput {
  /** Without the hosts that were left out. */
  cluster: Cluster;
  /** With the hosts that were left out, too; missing: none was. */
  wholeCluster?: Cluster;
  step: Step;
  build: string;
  /** What the run carries out; missing: `install`. */
  operation?: Operation;
  patienceMs?: number;
  inputs?: Record<string, StepData>;
  /** Of a health check: what checks before have seen. */
  before?: Trends;
}

export type Activities = Record<Action, (input: StepReference) => Promise<StepOutput>>;

/**
 * What the worker registers: every step's action, and `stopStep`, which an abort calls for each step that was running: it
 * stops the step's durable commands on their hosts and says how many. Cancelling an activity only lets go of them.
 */
export type WorkerActivities = Activities & {
  stopStep(input: StepReference): Promise<number>;
  /** Plans a health check from what was applied last. */
  prepareCheck(request: CheckRequest): Promise<RunInput | SkippedCheck>;
  /** Plans a scheduled drill from what was applied last. */
  prepareDrill(request: DrillRequest): Promise<RunInput | SkippedDrill>;
  /** Tells one channel of a verdict. */
  tellChannel(reference: TellReference): Promise<TellOutput>;
};

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
  /**
   * Set where nothing is known to be wrong and the host or the cluster did not tell whether the post-condition holds: why. Behind
   * an `apply` that is asked again, for it is no failure of the step.
   */
  unasked?: string;
  /** What `apply` would throw, where the probe knows already that a person has to act first. */
  problem?: KubewrightError;
  /** What the step hands on to later steps and to reports; at most DATA_LIMIT bytes as JSON. */
  data?: StepData;
  /** Of a step that only looks: what is wrong, all of it. */
  findings?: HealthFinding[];
  /** Of a step that only looks: what it has seen besides. */
  seen?: Sight;
  /** Of a drill: what was measured in one scenario; at most MEASURED_LIMIT bytes as JSON. */
  measured?: ScenarioReport;
  /** What `cluster/applied` found between cluster.yaml and the living cluster; `plan` shows it as a list of its own. */
  comparison?: Comparison;
}

export interface StepContext {
  cluster: Cluster;
  /** With the hosts that a person has left out, too. */
  wholeCluster: Cluster;
  operation: Operation;
  /** The run that the step belongs to; undefined outside of Temporal. */
  run: RunReference | undefined;
  /** Who changes hosts; undefined outside of Temporal, where nothing is changed. */
  writer: Writer | undefined;
  step: Step;
  /** Of a health check: what checks before have seen of the hosts; undefined elsewhere, and where nothing is known. */
  before: Trends | undefined;
  /** What the steps that this one needs have handed on, by their ids. */
  inputs: Readonly<Record<string, StepData>>;
  /** The step's own host. Throws for `cluster/…` steps. */
  host: RemoteHost;
  hostNamed(name: string): RemoteHost;
  /** Notes that something of a person's on a host was replaced, and kept as a copy: the step's summary names both. */
  noteBackup(path: string, copy: string): void;
  /** Shown as the running step's last line. */
  progress(line: string): void;
  signal: AbortSignal;
  /**
   * Value of a variable in the environment of the worker, or of the command that looks; undefined where it is not set or empty. It is
   * redacted from then on wherever it would be printed.
   */
  secret(variable: string): string | undefined;
  /** Directory on the worker's machine that outlives it, for its owner alone: the state directory. */
  stateDirectory: string;
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
  /**
   * Its `apply` changes nothing on a host but the lease itself: it neither takes hosts nor is kept out by another run, and
   * never counts as a change. Whatever another `apply` does on a host, it does holding that host: see `Leases`.
   */
  withoutLease?: true;
  /** How long the post-condition may take to hold behind `apply`, in milliseconds, on a busy host; 0 unless given. */
  settlesMs?: number;
  probe(context: StepContext): Promise<Probe>;
  apply(context: StepContext, found: Probe): Promise<void>;
}
