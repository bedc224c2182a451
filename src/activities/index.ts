import { Context, type Info } from '@temporalio/activity';
import { BUILD } from '../build.js';
import { hashOf } from '../cluster/hash.js';
import type { Cluster } from '../cluster/types.js';
import { KubewrightError } from '../errors.js';
import { createHosts, makeSshThread } from '../hosts/index.js';
import type { Hosts } from '../hosts/types.js';
import {
  type CheckRequest,
  PLAN_FORMAT,
  type RunInput,
  type SkippedCheck,
  type StepOutput,
  type StepReference,
  type TellOutput,
  type TellReference,
} from '../plan/run.js';
import type { DrillRequest, SkippedDrill } from '../plan/scheduled-drill.js';
import { ACTIONS, type Action, type Step } from '../plan/types.js';
import { VERSION } from '../version.js';
import { type ReadRun, type ResolvedStep, RunsByReference } from './by-reference.js';
import { prepareCheck, type ReadBackground } from './check/prepareCheck.js';
import { createContext } from './context.js';
import { prepareDrill } from './drill/prepareDrill.js';
import { toApplicationFailure } from './failure.js';
import type { Writer } from './lease/lease.js';
import { Leases } from './lease/leases.js';
import { withinLimit } from './limit.js';
import { SENDERS, type Senders } from './notify/senders.js';
import { tellChannel } from './notify/tellChannel.js';
import { troubleBefore, withPatience } from './patience.js';
import { Pulses } from './pulse.js';
import { implementations } from './registry.js';
import { explained } from './replaced.js';
import { carryOut } from './step.js';
import { stopCommands } from './stop.js';
import type { Activities, Probe, StepHeartbeat } from './types.js';

export interface ActivityOptions {
  /** The worker's environment: sudo passwords, secrets that the file names and the SSH agent are looked up there. */
  env: NodeJS.ProcessEnv;
  homeDirectory: string;
  /** What a run was started with, from Temporal: steps come by reference. */
  readRun: ReadRun;
  /** What Temporal knows of a cluster that is to be checked; without it a check knows of no other one. */
  readBackground?: ReadBackground;
  /** How messages on verdicts leave the worker; the real ways unless given. */
  senders?: Senders;
  /** Which Temporal the worker serves, for the leases on hosts; without it none is taken. */
  temporal?: ServedTemporal;
}

/** What of a `Writer` is the same for all steps of a worker. */
export type ServedTemporal = Pick<Writer, 'namespaceId' | 'temporal' | 'by'>;

/** What runs beside the steps themselves. */
export interface HousekeepingActivities {
  /** Ends what a step left running on its host or hosts; only `abort` asks for it. Returns how many units were ended. */
  stopStep(reference: StepReference): Promise<number>;
  /** Plans a health check from what was applied last. */
  prepareCheck(request: CheckRequest): Promise<RunInput | SkippedCheck>;
  /** Plans a scheduled drill from what was applied last. */
  prepareDrill(request: DrillRequest): Promise<RunInput | SkippedDrill>;
  /** Tells one channel of a verdict. */
  tellChannel(reference: TellReference): Promise<TellOutput>;
}

/** How often what is no step says that it lives. */
const HEARTBEAT_MS = 4_000;

/** Of steps whose workflow names none. */
const HEARTBEAT_TIMEOUT_MS = 10_000;

/**
 * The activities of a worker: one for each action of a plan. They share one pool of connections for each distinct set of
 * hosts, kept for the worker's life.
 */
export function createActivities(
  options: ActivityOptions,
): Activities & HousekeepingActivities & { close(): Promise<void> } {
  const pools = new Map<string, Hosts>();
  // A thousand handshakes in this thread would hold up the heartbeats of all steps.
  const thread = makeSshThread();
  thread?.begin();
  // All steps of a run are given one object: the hash of a thousand hosts for each of them would take a quarter of the thread.
  const known = new WeakMap<Cluster, Hosts>();
  const hostsOf = (cluster: Cluster): Hosts => {
    const before = known.get(cluster);
    if (before !== undefined) return before;
    const key = hashOf(cluster.hosts);
    const hosts = pools.get(key) ?? createHosts(cluster, { ...options, thread });
    pools.set(key, hosts);
    known.set(cluster, hosts);
    return hosts;
  };
  const runs = new RunsByReference(options.readRun);
  const leases = new Leases();
  const pulses = new Pulses();
  const resolve = async (reference: StepReference): Promise<Ready> => {
    const input = await runs.stepInput(reference);
    // Of the whole cluster, so that leaving a host out opens no second connection to all others.
    const { env, temporal } = options;
    return { input, hosts: hostsOf(input.wholeCluster), leases, temporal, env };
  };
  const steps = Object.fromEntries(
    ACTIONS.map((action) => [action, (reference: StepReference) => runStep(action, reference, resolve, pulses)]),
  ) as unknown as Activities;
  const { readBackground = async () => ({}) } = options;
  return {
    ...steps,
    stopStep: (reference) => stopStep(reference, resolve),
    prepareCheck: (request) =>
      beating((signal) => prepareCheck(request, { hosts: hostsOf(request.known), readBackground, signal })),
    prepareDrill: (request) =>
      beating((signal) => prepareDrill(request, { hosts: hostsOf(request.known), readBackground, signal })),
    tellChannel: (reference) =>
      beating(async (signal) => {
        const { env, senders = SENDERS } = options;
        return tellChannel(await runs.cluster(reference), reference, { senders, lookUp: (name) => env[name], signal });
      }),
    close: async () => {
      await Promise.all([...pools.values()].map((hosts) => hosts.close()));
      await thread?.close();
    },
  };
}

/** A step that was looked up, and the hosts to carry it out on. */
interface Ready {
  input: ResolvedStep;
  hosts: Hosts;
  leases: Leases;
  temporal: ServedTemporal | undefined;
  env: NodeJS.ProcessEnv;
}

type Resolve = (reference: StepReference) => Promise<Ready>;

/** Heartbeats, for a command may take ten seconds to obey: without them the worker would be taken for dead. */
async function stopStep(reference: StepReference, resolve: Resolve): Promise<number> {
  return beating(async () => {
    const { input, hosts } = await resolve(reference);
    return stopCommands(input, hosts);
  });
}

async function beating<T>(act: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const activity = Context.current();
  const timer = setInterval(() => activity.heartbeat(), HEARTBEAT_MS);
  try {
    return await act(activity.cancellationSignal);
  } catch (error) {
    // A worker that drains lets go of it: the next one does it.
    if (activity.cancellationSignal.aborted) throw activity.cancellationSignal.reason;
    throw toApplicationFailure(error);
  } finally {
    clearInterval(timer);
  }
}

async function runStep(
  action: Action,
  reference: StepReference,
  resolve: Resolve,
  pulses: Pulses,
): Promise<StepOutput> {
  const activity = Context.current();
  const began = Date.now();
  const trouble = troubleBefore();
  const { heartbeatTimeoutMs, startToCloseTimeoutMs } = activity.info;
  let state: StepHeartbeat = { stage: 'probe', line: '', ...trouble };
  const pulse = pulses.begin((now) => activity.heartbeat(now), state, heartbeatTimeoutMs ?? HEARTBEAT_TIMEOUT_MS);
  const onProgress = (next: StepHeartbeat): void => {
    state = { ...next, ...trouble };
    pulse.changed(state);
  };
  let ready: Ready | undefined;
  try {
    refuseOtherFormat(reference);
    ready = await resolve(reference);
    const { input, hosts, leases, temporal, env } = ready;
    const writer = writerOf(reference, temporal, activity.info);
    return await withinLimit(
      input.step,
      startToCloseTimeoutMs,
      () => state.line,
      (limit) => {
        const signal = AbortSignal.any([activity.cancellationSignal, limit]);
        const { root: run } = reference;
        const attempt = tryOf(activity.info);
        const context = createContext(input, { hosts, signal, run, writer, leases, attempt, env, onProgress });
        return carryOut(implementations[action], context);
      },
    );
  } catch (error) {
    // Pause, reset and shutdown arrive as cancellation; only the SDK's own failure is mapped back to what it was.
    if (activity.cancellationSignal.aborted) throw activity.cancellationSignal.reason;
    const failure = withPatience(toApplicationFailure(error), reference, began);
    throw failure.nonRetryable && ready !== undefined ? await explained(failure, ready.input, ready.hosts) : failure;
  } finally {
    pulse.end();
  }
}

/** One try of a step: Temporal's own attempts, after a lost worker or connection, share when they were first scheduled. */
function tryOf({ workflowExecution, scheduledTimestampMs }: Info): string {
  return `${workflowExecution?.runId ?? 'no run'}/${scheduledTimestampMs}`;
}

function writerOf(
  { root }: StepReference,
  temporal: ServedTemporal | undefined,
  { scheduledTimestampMs }: Info,
): Writer | undefined {
  return temporal === undefined
    ? undefined
    : {
        workflowId: root.workflowId,
        runId: root.first ?? root.runId,
        ...temporal,
        order: scheduledTimestampMs,
      };
}

/** A plan is carried out by those who mean the same by its actions. */
function refuseOtherFormat({ format, build, step }: StepReference): void {
  if (format === PLAN_FORMAT) return;
  throw new KubewrightError(
    'KW510',
    `this run was planned by kubewright ${build} (plan format ${format}), this worker is ${BUILD} (plan format ${PLAN_FORMAT})`,
    {
      step,
      hint: `Run a worker of version ${build} and retry, or abort this run and install again with ${BUILD}: what is done stays done.`,
    },
  );
}

/**
 * Looks at one step without changing anything, outside of Temporal: what `kubewright plan` prints.
 *
 * @param env where secrets that the file names are looked up
 * @throws KubewrightError when the host cannot be looked at
 */
export async function probeStep(
  cluster: Cluster,
  step: Step,
  hosts: Hosts,
  env: NodeJS.ProcessEnv = {},
): Promise<Probe> {
  const { signal } = new AbortController();
  const context = createContext({ cluster, step, build: VERSION }, { hosts, signal, env });
  return implementations[step.action].probe(context);
}
