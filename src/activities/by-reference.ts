import type { Cluster } from '../cluster/types.js';
import { KubewrightError, messageOf } from '../errors.js';
import type { Operation } from '../plan/operations.js';
import type { RunInput, RunReference, StepReference } from '../plan/run.js';
import type { Trends } from '../plan/trends.js';
import type { Step } from '../plan/types.js';
import type { StepInput } from './types.js';

/** Reads what a run was started with: the first event of its history. */
export type ReadRun = (root: RunReference) => Promise<RunInput>;

/** Runs whose input is kept: as many as a worker will see at once, and each is a few hundred KiB. */
const KEPT = 20;

/** A step with all that it works with. */
export interface ResolvedStep extends StepInput {
  /** The cluster with the hosts that were left out, too. */
  wholeCluster: Cluster;
}

interface Resolved {
  cluster: Cluster;
  operation: Operation;
  planHash: string;
  before: Trends | undefined;
  steps: Map<string, Step>;
  /** The cluster without some of its hosts, by their names: steps with the same view share one object. */
  views: Map<string, Cluster>;
}

/**
 * Turns a step's reference into what it stands for. The root's first event holds cluster and plan once, and a step
 * carries only where that is: with the cluster in each step's input, the first workflow task of a hundred hosts would be
 * larger than Temporal takes.
 */
export class RunsByReference {
  readonly #read: ReadRun;
  readonly #runs = new Map<string, Promise<Resolved>>();

  constructor(read: ReadRun) {
    this.#read = read;
  }

  /**
   * @throws KubewrightError KW561 (transient) when Temporal does not give the run's input, KW562 when it is not the plan
   * that the step belongs to
   */
  async stepInput(reference: StepReference): Promise<ResolvedStep> {
    const run = await this.#run(reference.root);
    const step = run.steps.get(reference.step);
    if (run.planHash !== reference.planHash || step === undefined) throw notItsPlan(reference);
    const { build, patienceMs, inputs } = reference;
    const cluster = viewOf(run, reference.without ?? []);
    const { operation, before } = run;
    return { cluster, wholeCluster: run.cluster, step, build, operation, patienceMs, inputs, before };
  }

  /**
   * The cluster that a run is about.
   *
   * @throws KubewrightError KW561 (transient) when Temporal does not give the run's input, KW562 when it has another plan
   */
  async cluster({ root, planHash }: Pick<StepReference, 'root' | 'planHash'>): Promise<Cluster> {
    const run = await this.#run(root);
    if (run.planHash === planHash) return run.cluster;
    throw new KubewrightError('KW562', `${root.workflowId} was started with another plan than this is scheduled by`, {
      hint: 'What is scheduled belongs to another run. Begin it anew.',
    });
  }

  #run(root: RunReference): Promise<Resolved> {
    const known = this.#runs.get(root.runId);
    if (known !== undefined) return known;
    // Also an answer that is none, such as an empty page, is forgotten and asked for again.
    const reading = this.#read(root)
      .then(resolved)
      .catch((error: unknown) => {
        this.#runs.delete(root.runId);
        throw unread(root, error);
      });
    this.#runs.set(root.runId, reading);
    const [oldest] = this.#runs.keys();
    if (this.#runs.size > KEPT && oldest !== undefined) this.#runs.delete(oldest);
    return reading;
  }
}

function resolved({ operation = 'install', cluster, plan, planHash, check }: RunInput): Resolved {
  return {
    cluster,
    operation,
    planHash,
    before: check?.before,
    steps: new Map(plan.map((step) => [step.id, step])),
    views: new Map(),
  };
}

function viewOf({ cluster, views }: Resolved, without: string[]): Cluster {
  if (without.length === 0) return cluster;
  const key = without.join(' ');
  const left = new Set(without);
  const view = views.get(key) ?? { ...cluster, hosts: cluster.hosts.filter(({ name }) => !left.has(name)) };
  views.set(key, view);
  return view;
}

function unread({ workflowId }: RunReference, cause: unknown): KubewrightError {
  return new KubewrightError(
    'KW561',
    `the worker cannot read what ${workflowId} was started with: ${messageOf(cause)}`,
    {
      transient: true,
      cause,
      hint: 'The worker asks Temporal again by itself. If it stays so, look whether the worker has the payload key of this run.',
    },
  );
}

function notItsPlan({ root, step }: StepReference): KubewrightError {
  return new KubewrightError('KW562', `the plan of ${root.workflowId} has no step ${step} as it was scheduled`, {
    step,
    hint: 'The step belongs to another run. End it with `kubewright abort`, then install again: what is done stays done.',
  });
}
