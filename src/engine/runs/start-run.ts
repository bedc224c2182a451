import { WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import { TypedSearchAttributes } from '@temporalio/common';
import { BUILD } from '../../build.js';
import { KubewrightError } from '../../errors.js';
import { OPERATIONS, type Operation, operationOf } from '../../plan/operations.js';
import { PLAN_FORMAT, type RunInput } from '../../plan/run.js';
import { CLUSTER, OPERATION, PHASE, STATE } from '../../workflows/engine/search-attributes.js';
import { DEFAULT_PATIENCE_MS } from '../../workflows/types.js';
import { type Engine, workflowIdOf } from '../types.js';
import { statusOf } from './ask.js';
import { readInput } from './history.js';
import { buildIn } from './memo.js';
import { buildsOn } from './pollers.js';
import { explainedStart, refuseHuge } from './too-large.js';

/**
 * What a run is started with; whether the server takes search attributes is asked here. Left out: `operation` is an install,
 * `format` that of this version, `patienceMs` DEFAULT_PATIENCE_MS (a run that is attached to keeps its own).
 */
export type StartOptions = Omit<RunInput, 'searchAttributes'>;

/** The run that was started, or attached to. */
export interface StartedRun {
  workflowId: string;
  runId: string;
  /** True when the same plan ran already and is only watched from here. */
  attached: boolean;
  /** When the run that was attached to had begun, milliseconds since the epoch; undefined for one that begins now. */
  startedAt?: number;
  /** Build of Kubewright that planned the run that was attached to. */
  build?: string;
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
    readonly running: RunInput,
  ) {
    super('KW520', message, { hint });
  }
}

/**
 * Starts an operation, or attaches to the one that runs when it has the same plan. The workflow's id is the cluster's
 * name, so within a namespace nobody else changes this cluster meanwhile. A run that ends in this very moment is not
 * attached to: a new one is started.
 *
 * @throws PlanConflictError (KW520) when the same operation runs with another plan
 * @throws KubewrightError KW521 when something else runs for this cluster, KW560 when cluster and plan are larger than the
 * server takes, KW563 when what runs was planned in another format, which no worker of this version carries out
 */
export async function startRun(engine: Engine, options: StartOptions): Promise<StartedRun> {
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
async function startNew(engine: Engine, options: StartOptions): Promise<StartedRun | undefined> {
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

async function withoutAttributes(engine: Engine, options: StartOptions): Promise<StartedRun> {
  const started = await startWith(engine, options, false);
  const notice = `The server does not take Kubewright's search attributes ${REGISTRATION_LIMIT_MS / 1000} s after they were registered: this install goes without, and the list of blocked installs does not show it.`;
  return { ...started, notice };
}

async function startWith(
  engine: Engine,
  { patienceMs, ...options }: StartOptions,
  searchAttributes: boolean,
): Promise<StartedRun> {
  const workflowId = workflowIdOf(options.cluster.name);
  const { operation = 'install', format = PLAN_FORMAT } = options;
  const patience = patienceMs ?? DEFAULT_PATIENCE_MS;
  const input: RunInput = { ...options, operation, format, searchAttributes, patienceMs: patience };
  await refuseHuge(input);
  const { workflow, words } = OPERATIONS[operation];
  const summary = `${words.title} ${options.cluster.name}: ${options.cluster.hosts.length} hosts`;
  const starting = engine.client.workflow.start(workflow, {
    workflowId,
    taskQueue: engine.taskQueue,
    args: [input],
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    workflowIdConflictPolicy: 'FAIL',
    // A worker that is killed in the middle of a workflow task delays the next one by this much.
    workflowTaskTimeout: '5 seconds',
    memo: { planHash: options.planHash, build: options.build, format },
    typedSearchAttributes: searchAttributes ? startAttributes(input) : undefined,
    staticSummary: summary.slice(0, 66),
  });
  const handle = await starting.catch(async (error: unknown) => {
    throw await explainedStart(error, input);
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

function startAttributes({ cluster, operation = 'install', plan }: RunInput): TypedSearchAttributes {
  return new TypedSearchAttributes([
    { key: CLUSTER, value: cluster.name },
    { key: OPERATION, value: operation },
    { key: STATE, value: 'running' },
    { key: PHASE, value: plan[0]?.phase ?? '' },
  ]);
}

/** Attaches to the run that there is; undefined when it has ended meanwhile. */
async function attach(engine: Engine, options: StartOptions): Promise<StartedRun | undefined> {
  const workflowId = workflowIdOf(options.cluster.name);
  const running = await engine.client.workflow.getHandle(workflowId).describe();
  if (statusOf(running.status.name) !== 'running') return undefined;
  const { operation = 'install' } = options;
  if (operationOf(running.type) !== operation) {
    throw new KubewrightError('KW521', `Cluster ${options.cluster.name} is at work already: ${running.type} runs`, {
      hint: 'Wait for it to end, or cancel it, then start anew.',
    });
  }
  await refuseOtherFormat(engine, options.cluster.name, operation, running);
  if (running.memo?.planHash === options.planHash) {
    const startedAt = running.startTime.getTime();
    return { workflowId, runId: running.runId, attached: true, startedAt, build: buildIn(running.memo) };
  }
  const { noun } = OPERATIONS[operation].words;
  throw new PlanConflictError(
    `${/^[aeiou]/.test(noun) ? 'An' : 'A'} ${noun} of ${options.cluster.name} with another plan is running; it goes on with the plan it was started with`,
    `\`kubewright watch ${options.cluster.name}\` follows it. For the changed file wait for its end, or abort it first; then give the command again.`,
    await readInput(engine, workflowId, running.runId),
  );
}

/** Said here, in one sentence, before every step of it parks for the same reason. Runs of 0.1.0 have no format in their memo. */
async function refuseOtherFormat(
  engine: Engine,
  cluster: string,
  operation: Operation,
  { memo, taskQueue }: { memo?: Record<string, unknown>; taskQueue: string },
): Promise<void> {
  const format = memo?.format ?? 1;
  if (format === PLAN_FORMAT) return;
  const build = buildIn(memo) ?? 'another version';
  const { noun } = OPERATIONS[operation].words;
  const message =
    `the ${noun} of ${cluster} that runs was planned by kubewright ${build} (plan format ${format}); ` +
    `this is ${BUILD} (plan format ${PLAN_FORMAT}), which does not carry it out`;
  throw new KubewrightError('KW563', message, {
    hint:
      `${whoWorks(await buildsOn(engine, taskQueue))}Bring it to its end with kubewright ${build}, or end it with ` +
      `\`kubewright abort --cluster ${cluster}\` and start anew: what is done on the hosts stays done.`,
  });
}

function whoWorks(builds: string[] | undefined): string {
  if (builds === undefined) return '';
  if (builds.length === 0) return 'No worker is there for it. ';
  return `On its queue: ${builds.map((build) => `a worker of kubewright ${build}`.replace('kubewright of', 'kubewright, of')).join(', ')}. `;
}
