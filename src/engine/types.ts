import type { Client, ConnectionOptions, DataConverter } from '@temporalio/client';
import type { Operation } from '../plan/operations.js';
import type { RunProgress, RunResult } from '../workflows/types.js';
import type { EmbeddedServer } from './embedded-server.js';

/** Task queue of Kubewright's workers, unless `KUBEWRIGHT_TASK_QUEUE` names another. */
export const TASK_QUEUE = 'kubewright';

/** Task queue of a client or a worker with this environment. */
export function taskQueueOf(env: NodeJS.ProcessEnv): string {
  return env.KUBEWRIGHT_TASK_QUEUE || TASK_QUEUE;
}

/** Query for the runs that are open on a task queue. */
export function openOn(taskQueue: string): string {
  return `TaskQueue = '${taskQueue.replaceAll("'", "''")}' AND ExecutionStatus = 'Running'`;
}

/** How Temporal is reached: what the options, the environment and the profile say, put together. */
export interface ConnectionSettings {
  address: string;
  namespace: string;
  /** Who named the server: `embedded`, `from --address`, `from TEMPORAL_ADDRESS` or `from FILE profile NAME`. */
  source: string;
  tls?: ConnectionOptions['tls'];
  apiKey?: string;
  metadata?: Record<string, string>;
}

/** A connection to Temporal, with what Kubewright's clients and workers must agree on. `connect` makes one; close it. */
export interface Engine {
  readonly client: Client;
  readonly settings: ConnectionSettings;
  /** Queue on which this engine's installs look for workers. */
  readonly taskQueue: string;
  /** Converter of client and worker; it holds the payload codec when a key is set. */
  readonly dataConverter: DataConverter | undefined;
  /** Whether the namespace knows Kubewright's search attributes. */
  readonly searchAttributes: boolean;
  /** The embedded server when that is what is used. */
  readonly server: EmbeddedServer | undefined;
  readonly stateDir: string;
  /** What a worker's environment must say besides, to reach the same server. */
  readonly environment: Readonly<Record<string, string>>;
  /** What the user should know, one sentence each: attributes that may not be registered, a UI that is too old. */
  readonly notices: readonly string[];
  /** Closes the connection and ends this command's use of the embedded server, which stops with its last user. */
  close(): Promise<void>;
}

/** What Temporal knows of a step that is being tried right now. */
export interface StepActivity {
  /** Number of the try that runs or is waited for, from 1. */
  attempt: number;
  /** `probe`, `apply` or `verify`, from the last heartbeat. */
  stage?: string;
  /** Last line of the step's output, from the last heartbeat. */
  line?: string;
  /** Message of the last try's failure. */
  failure?: string;
  /** Milliseconds since the epoch, while it waits for its next try. */
  nextAttemptAt?: number;
  /** Milliseconds since the epoch, while a try is under way. */
  startedAt?: number;
  /** Paused by a person in Temporal's UI or command line. */
  paused?: boolean;
}

/** What Temporal says of a run. */
export type RunStatus = 'running' | 'completed' | 'failed' | 'cancelled' | 'terminated' | 'timed-out';

/** Everything that can be known of an install at one moment. */
export interface RunSnapshot {
  /** Where it and its steps stand. */
  progress: RunProgress;
  /** By step id; only steps that are being tried. */
  activities: Record<string, StepActivity>;
  /** The workflow in Temporal, `cluster/NAME`. */
  workflowId: string;
  /** The run of that workflow. */
  runId: string;
  /** Build of Kubewright that planned it: version and commit. Absent where its memo does not say. */
  build?: string;
  /**
   * Build of the workers that carry it out: it stays with them to its end, or until none of them is left. Absent before a worker has
   * begun, and on a server without worker versions.
   */
  pinnedTo?: string;
  /** What it carries out; absent: an install. */
  operation?: Operation;
  /** What Temporal says of the run. */
  status: RunStatus;
  /** `worker`: asked of the workflow itself. `history`: no worker answered, so it was read from what is recorded. */
  source: 'worker' | 'history';
  /** Milliseconds since the epoch. */
  startedAt: number;
  /** Milliseconds since the epoch; absent while it runs. */
  closedAt?: number;
  /** Number of events in the history. */
  events: number;
  /**
   * How often the workflow's present task has been tried. Above 2 the workers' code fails at it: the run is not lost,
   * and goes on with a worker that is mended (or of the right version).
   */
  taskAttempts?: number;
  /** Why that task fails, when it does so again and again; from the last failure that the history holds. */
  taskFailure?: string;
  /** When `completed`. */
  result?: RunResult;
  /** When it ended otherwise. */
  failure?: {
    /** Stable code, `KW` and three digits. */
    code: string;
    /** Why it ended. */
    message: string;
    /** What to do next. */
    hint: string;
  };
}

/** One line of the list of installs. */
export interface RunListing {
  /** Name of the cluster. */
  cluster: string;
  /** The workflow in Temporal, `cluster/NAME`. */
  workflowId: string;
  /** The run of that workflow. */
  runId: string;
  /** What it carries out; absent: an install. */
  operation?: Operation;
  /** What Temporal says of the run. */
  status: RunStatus;
  /** From the search attributes; empty where they are not registered. */
  state: string;
  /** Phase of the install, likewise. */
  phase: string;
  /** Ids of the steps that wait for a person, likewise. */
  blocked: string[];
  /** Milliseconds since the epoch. */
  startedAt: number;
  /** Milliseconds since the epoch; absent while it runs. */
  closedAt?: number;
}

/** The id that makes a workflow the only one that changes a cluster. */
export function workflowIdOf(cluster: string): string {
  return `cluster/${cluster}`;
}
