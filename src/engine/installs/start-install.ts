import { WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import { TypedSearchAttributes } from '@temporalio/common';
import type { Cluster } from '../../cluster/types.js';
import { KubewrightError } from '../../errors.js';
import type { Step } from '../../plan/types.js';
import { CLUSTER, OPERATION, PHASE, STATE } from '../../workflows/engine/search-attributes.js';
import { DEFAULT_PATIENCE_MS, type InstallInput } from '../../workflows/types.js';
import { type Engine, INSTALL_WORKFLOW, workflowIdOf } from '../types.js';
import { readInput } from './history.js';
import { statusOf } from './snapshot.js';
import { explainedStart, refuseHuge } from './too-large.js';

export interface StartOptions {
  cluster: Cluster;
  plan: Step[];
  /** SHA-256 of cluster and plan in canonical JSON. */
  planHash: string;
  /** Version of Kubewright. */
  build: string;
  /**
   * How long a step may be in trouble that may heal by itself (a host that does not answer) before a person is asked, in
   * milliseconds; default DEFAULT_PATIENCE_MS. A run that is attached to keeps its own.
   */
  patienceMs?: number;
}

export interface StartedInstall {
  workflowId: string;
  runId: string;
  /** True when the same plan ran already and is only watched from here. */
  attached: boolean;
  /** When the run that was attached to had begun, milliseconds since the epoch; undefined for one that begins now. */
  startedAt?: number;
  /** What the user should know, one sentence. */
  notice?: string;
}

/**
 * Another plan for this cluster is running. `running` is what it was started with, so that differences can be shown.
 */
export class PlanConflictError extends KubewrightError {
  constructor(
    message: string,
    hint: string,
    readonly running: InstallInput,
  ) {
    super('KW520', message, { hint });
  }
}

/**
 * Starts an install, or attaches to the one that runs when it has the same plan. The workflow's id is the cluster's
 * name, so within a namespace nobody else changes this cluster meanwhile. A run that ends in this very moment is not
 * attached to: a new one is started.
 *
 * @throws PlanConflictError (KW520) when an install with another plan runs
 * @throws KubewrightError KW521 when something other than an install runs for this cluster, KW560 when cluster and plan are
 * larger than the server takes
 */
export async function startInstall(engine: Engine, options: StartOptions): Promise<StartedInstall> {
  for (;;) {
    const started = (await startNew(engine, options)) ?? (await attach(engine, options));
    if (started !== undefined) return started;
  }
}

/**
 * A server with an SQL database takes attributes a while after it has taken their registration: until its frontend looks
 * into the database again, ten seconds as shipped.
 */
const REGISTRATION_LIMIT_MS = 15_000;

/** Starts a run; undefined when one runs already. */
async function startNew(engine: Engine, options: StartOptions): Promise<StartedInstall | undefined> {
  const deadline = Date.now() + REGISTRATION_LIMIT_MS;
  for (;;) {
    try {
      return await startWith(engine, options, engine.searchAttributes);
    } catch (error) {
      if (error instanceof WorkflowExecutionAlreadyStartedError) return undefined;
      if (!engine.searchAttributes || !isUnknownAttribute(error)) throw error;
      if (Date.now() > deadline) return await withoutAttributes(engine, options);
      await new Promise((resolve) => setTimeout(resolve, 1_000));
    }
  }
}

async function withoutAttributes(engine: Engine, options: StartOptions): Promise<StartedInstall> {
  const started = await startWith(engine, options, false);
  const notice = `The server does not take Kubewright's search attributes ${REGISTRATION_LIMIT_MS / 1000} s after they were registered: this install goes without, and the list of blocked installs does not show it.`;
  return { ...started, notice };
}

async function startWith(
  engine: Engine,
  { patienceMs, ...options }: StartOptions,
  searchAttributes: boolean,
): Promise<StartedInstall> {
  const workflowId = workflowIdOf(options.cluster.name);
  const input: InstallInput = { ...options, searchAttributes, patienceMs: patienceMs ?? DEFAULT_PATIENCE_MS };
  refuseHuge(input);
  const starting = engine.client.workflow.start(INSTALL_WORKFLOW, {
    workflowId,
    taskQueue: engine.taskQueue,
    args: [input],
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    workflowIdConflictPolicy: 'FAIL',
    // A worker that is killed in the middle of a workflow task delays the next one by this much.
    workflowTaskTimeout: '5 seconds',
    memo: { planHash: options.planHash, build: options.build },
    typedSearchAttributes: searchAttributes ? startAttributes(options.cluster.name) : undefined,
    staticSummary: `Install cluster ${options.cluster.name} on ${options.cluster.hosts.length} hosts`.slice(0, 66),
  });
  const handle = await starting.catch((error: unknown) => {
    throw explainedStart(error, input);
  });
  return { workflowId, runId: handle.firstExecutionRunId, attached: false };
}

/** What a server says of an attribute that it does not know, yet or at all. */
function isUnknownAttribute(error: unknown): boolean {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    if (/no mapping defined for search attribute|search attribute \S+ is not defined/i.test(at.message)) return true;
  }
  return false;
}

function startAttributes(cluster: string): TypedSearchAttributes {
  return new TypedSearchAttributes([
    { key: CLUSTER, value: cluster },
    { key: OPERATION, value: 'install' },
    { key: STATE, value: 'running' },
    { key: PHASE, value: 'preflight' },
  ]);
}

/** Attaches to the run that there is; undefined when it has ended meanwhile. */
async function attach(engine: Engine, options: StartOptions): Promise<StartedInstall | undefined> {
  const workflowId = workflowIdOf(options.cluster.name);
  const running = await engine.client.workflow.getHandle(workflowId).describe();
  if (statusOf(running.status.name) !== 'running') return undefined;
  if (running.type !== INSTALL_WORKFLOW) {
    throw new KubewrightError('KW521', `Cluster ${options.cluster.name} is at work already: ${running.type} runs`, {
      hint: 'Wait for it to end, or cancel it, then start anew.',
    });
  }
  if (running.memo?.planHash === options.planHash) {
    return { workflowId, runId: running.runId, attached: true, startedAt: running.startTime.getTime() };
  }
  throw new PlanConflictError(
    `An install of ${options.cluster.name} with another plan is running; it goes on with the plan it was started with`,
    `\`kubewright watch ${options.cluster.name}\` follows it. To install the changed file, wait for its end or abort it first.`,
    await readInput(engine, workflowId, running.runId),
  );
}
