import { BUILD } from '../../../src/build.js';
import type {
  ClusterStatus,
  ConnectOptions,
  DecisionOutcome,
  Engine,
  EnsureWorkerOptions,
  HealthHistory,
  HealthNews,
  RunListing,
  RunSnapshot,
  WorkerProcess,
} from '../../../src/engine/index.js';
import type { InstallView } from '../../../src/terminal/types.js';
import { START } from '../terminal/snapshots.js';

/** An engine whose install is a list of moments. What is done to it is written down. */
export class ScriptedEngine {
  readonly calls: string[] = [];
  /** Thrown by startRun. */
  conflict: unknown;
  attached = false;
  /** What deciding gives. */
  outcome: DecisionOutcome = {
    runId: 'run-1',
    via: 'update',
    steps: ['cp-2/join'],
    message: 'retrying cp-2/join',
  };
  clusters = ['demo'];
  /** In place of bare names. */
  listings: Partial<RunListing>[] | undefined;
  /** What is known of the cluster's health, and of its last day. */
  news: HealthNews = {};
  day: HealthHistory | undefined;
  /** What else is known of the cluster, for `status`. */
  known: Partial<ClusterStatus> = {};
  /** What an install was started with. */
  patienceMs: number | undefined;
  /** Thrown by describeRun. */
  unreadable: unknown;
  /** Whether connecting takes until somebody gives up. */
  neverConnects = false;
  /** Whether the server is the embedded one. */
  embedded = true;
  /** Queue of the install that runs already. */
  runningOn: string | undefined;
  /** Whether a worker asks for steps of a queue. */
  polled: 'yes' | 'no' | 'unknown' = 'no';
  /** Why the worker that ran was replaced. */
  replacedFor: string[] = [];
  /** What the worker that is brought runs, and what planned the run that is attached to. */
  workerBuild = BUILD;
  plannedBy = BUILD;
  /** What was asked of the worker. */
  asked: Pick<EnsureWorkerOptions, 'replace' | 'needs'> = {};

  constructor(private readonly moments: RunSnapshot[]) {}

  /** What the commands see in place of src/engine/index.ts. */
  module(real: object): object {
    return {
      ...real,
      connect: async (options?: ConnectOptions) => (this.neverConnects ? this.hang(options?.signal) : this.engine()),
      queueOfRun: async () => this.runningOn,
      isPolled: async (_engine: Engine, queue: string) => {
        this.calls.push(`polled ${queue}?`);
        return this.polled;
      },
      startRun: async ({ taskQueue }: Engine, options: { patienceMs?: number }) => {
        this.calls.push(`start on ${taskQueue}`);
        this.patienceMs = options.patienceMs;
        if (this.conflict !== undefined) throw this.conflict;
        const run = { workflowId: 'cluster/demo', runId: 'run-1', attached: this.attached };
        return this.attached ? { ...run, startedAt: START, build: this.plannedBy } : run;
      },
      retireOutdatedWorker: async ({ taskQueue }: Engine) => {
        this.calls.push(`retire on ${taskQueue}`);
      },
      ensureWorker: async ({ taskQueue }: Engine, options?: EnsureWorkerOptions) => this.worker(taskQueue, options),
      decide: async (_engine: Engine, cluster: string, verb: string, decision: object) => {
        this.calls.push(`${verb} ${cluster} ${JSON.stringify(decision)}`);
        return this.outcome;
      },
      handOverForAbort: async (_engine: Engine, cluster: string, runId: string) => {
        this.calls.push(`hand over ${runId} of ${cluster}`);
      },
      endRun: async (_engine: Engine, cluster: string, reason: string | undefined) => {
        this.calls.push(`end ${cluster} ${reason}`);
      },
      readHealthNews: async () => this.news,
      readClusterStatus: async (_engine: Engine, cluster: string): Promise<ClusterStatus> => {
        if (this.unreadable !== undefined) throw this.unreadable;
        return { cluster, run: this.moments.at(-1), health: this.news, unread: {}, ...this.known };
      },
      readHealthHistory: async () => this.day,
      listRuns: async () => this.listings ?? this.clusters.map((cluster) => ({ cluster })),
      describeRun: async () => {
        if (this.unreadable !== undefined) throw this.unreadable;
        return this.moments.at(-1);
      },
      watchRun: (_engine: Engine, _cluster: string, options: { signal?: AbortSignal } = {}) =>
        this.watch(options.signal),
    };
  }

  private hang(signal: AbortSignal | undefined): Promise<never> {
    this.calls.push('connecting');
    return new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason), { once: true }));
  }

  private engine(): Partial<Engine> {
    const say = (call: string) => async () => {
      this.calls.push(call);
    };
    const server = { uiUrl: 'http://127.0.0.1:8233', detach: say('detach server') } as unknown as Engine['server'];
    const settings = { address: '127.0.0.1:7233', namespace: 'default', source: 'embedded' };
    const engine = { server: this.embedded ? server : undefined, taskQueue: 'kubewright', settings };
    return { ...engine, notices: [], close: say('close engine') };
  }

  private worker(taskQueue: string, { replace, needs }: EnsureWorkerOptions = {}): WorkerProcess {
    this.calls.push(`worker on ${taskQueue}`);
    this.asked = { replace, needs };
    return {
      pid: 0,
      build: this.workerBuild,
      log: '/state/worker.log',
      started: true,
      replacedFor: this.replacedFor,
      revive: async () => false,
      detach: async () => {
        this.calls.push('detach worker');
      },
      leave: async () => {
        this.calls.push('leave worker');
        return 'stopped';
      },
    };
  }

  /** After the last moment nothing happens any more, until Ctrl-C. */
  private async *watch(signal: AbortSignal | undefined): AsyncGenerator<RunSnapshot, void> {
    yield* this.moments;
    if (this.moments.at(-1)?.status !== 'running' || signal === undefined) return;
    this.calls.push('waiting');
    await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
  }
}

/** A whole snapshot of what the views show. */
export function moment(view: InstallView, rest: Partial<RunSnapshot> = {}): RunSnapshot {
  const run = { workflowId: 'cluster/demo', runId: 'run-1', source: 'worker' as const, events: 10 };
  return { ...view, ...run, status: 'running', startedAt: START, ...rest };
}
