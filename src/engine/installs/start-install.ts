import { WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import { TypedSearchAttributes } from '@temporalio/common';
import type { Cluster } from '../../cluster/types.js';
import { KubewrightError } from '../../errors.js';
import type { Step } from '../../plan/types.js';
import { CLUSTER, OPERATION, PHASE, STATE } from '../../workflows/search-attributes.js';
import type { InstallInput } from '../../workflows/types.js';
import { type Engine, INSTALL_WORKFLOW, workflowIdOf } from '../types.js';
import { readInput } from './history.js';

export interface StartOptions {
  cluster: Cluster;
  plan: Step[];
  /** SHA-256 of cluster and plan in canonical JSON. */
  planHash: string;
  /** Version of Kubewright. */
  build: string;
}

export interface StartedInstall {
  workflowId: string;
  runId: string;
  /** True when the same plan ran already and is only watched from here. */
  attached: boolean;
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
 * name, so within a namespace nobody else changes this cluster meanwhile.
 *
 * @throws PlanConflictError (KW520) when an install with another plan runs
 * @throws KubewrightError KW521 when something other than an install runs for this cluster
 */
export async function startInstall(engine: Engine, options: StartOptions): Promise<StartedInstall> {
  const workflowId = workflowIdOf(options.cluster.name);
  const input: InstallInput = { ...options, searchAttributes: engine.searchAttributes };
  try {
    const handle = await engine.client.workflow.start(INSTALL_WORKFLOW, {
      workflowId,
      taskQueue: engine.taskQueue,
      args: [input],
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
      workflowIdConflictPolicy: 'FAIL',
      // A worker that is killed in the middle of a workflow task delays the next one by this much.
      workflowTaskTimeout: '5 seconds',
      memo: { planHash: options.planHash, build: options.build },
      typedSearchAttributes: engine.searchAttributes ? startAttributes(options.cluster.name) : undefined,
      staticSummary: `Install cluster ${options.cluster.name} on ${options.cluster.hosts.length} hosts`.slice(0, 66),
    });
    return { workflowId, runId: handle.firstExecutionRunId, attached: false };
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    return attach(engine, workflowId, options);
  }
}

function startAttributes(cluster: string): TypedSearchAttributes {
  return new TypedSearchAttributes([
    { key: CLUSTER, value: cluster },
    { key: OPERATION, value: 'install' },
    { key: STATE, value: 'running' },
    { key: PHASE, value: 'preflight' },
  ]);
}

async function attach(engine: Engine, workflowId: string, options: StartOptions): Promise<StartedInstall> {
  const running = await engine.client.workflow.getHandle(workflowId).describe();
  if (running.type !== INSTALL_WORKFLOW) {
    throw new KubewrightError('KW521', `Cluster ${options.cluster.name} is at work already: ${running.type} runs`, {
      hint: 'Wait for it to end, or cancel it, then start anew.',
    });
  }
  if (running.memo?.planHash === options.planHash) return { workflowId, runId: running.runId, attached: true };
  throw new PlanConflictError(
    `An install of ${options.cluster.name} with another plan is running; it goes on with the plan it was started with`,
    `\`kubewright watch ${options.cluster.name}\` follows it. To install the changed file, wait for its end or abort it first.`,
    await readInput(engine, workflowId, running.runId),
  );
}
