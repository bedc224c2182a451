import { BUILD } from '../../build.js';
import type { Cluster } from '../../cluster/types.js';
import type { Engine, WorkerNeeds, WorkerProcess } from '../../engine/index.js';
import { KubewrightError } from '../../errors.js';
import type { CommandContext } from './action.js';

/** Who carries out an install. */
export interface WorkerChoice {
  /** The task queue that the install is started on, or runs on already. */
  queue: string;
  /** Whether this command brings a worker for it. */
  bring: boolean;
}

/**
 * Decides who carries out an install. With the embedded server this command brings a worker, unless told not to. With a server
 * of somebody else's it does so only when it is told to, or when nobody works there: a forgotten flag must not make a laptop,
 * with its keys and its bundles, one of a team's workers. A worker that is brought has a queue of its own and gets no other
 * cluster's steps.
 *
 * @param asked `--worker`, `--no-worker`, or undefined
 * @throws KubewrightError KW552 for `--worker` when the install runs on a queue that others work on
 */
export async function chooseWorker(
  { output }: CommandContext,
  engine: Engine,
  cluster: string,
  asked: boolean | undefined,
): Promise<WorkerChoice> {
  const { isPolled, ownQueue, queueOfRun } = await import('../../engine/index.js');
  const running = await queueOfRun(engine, cluster);
  const common = running ?? engine.taskQueue;
  if (asked === false) return { queue: common, bring: false };
  const own = running ?? ownQueue(engine, cluster);
  if (engine.server !== undefined) return { queue: own, bring: true };
  if (asked === true && running !== engine.taskQueue) return { queue: own, bring: true };
  const polled = await isPolled(engine, common);
  if (asked === true && polled !== 'no') throw sharedQueue(cluster, common);
  if (polled === 'no') {
    output.note(`Nobody works on task queue ${common} there: a worker is started here, for ${cluster} alone.`);
    return { queue: own, bring: true };
  }
  const who = polled === 'yes' ? `the workers of task queue ${common}` : `whoever works on task queue ${common}`;
  output.note(`No worker is started here: ${who} will carry it out (--worker starts one).`);
  return { queue: common, bring: false };
}

/**
 * The same, for what goes on without a terminal: where the service runs (`server install-service`), its worker is the one that
 * stays, unless a worker of this command's own is asked for.
 *
 * @throws KubewrightError KW552 as `chooseWorker`
 */
export async function chooseLastingWorker(
  context: CommandContext,
  engine: Engine,
  cluster: Cluster,
  asked: boolean | undefined,
): Promise<WorkerChoice> {
  const { serviceRecord } = await import('../../engine/service/record.js');
  const service = engine.server === undefined ? undefined : await serviceRecord(engine.stateDir);
  if (service === undefined || asked === true) return chooseWorker(context, engine, cluster.name, asked);
  const { needsOf } = await import('../../engine/index.js');
  const { ENVIRONMENT_PATH } = await import('../../service/places.js');
  const { variables } = needsOf(cluster);
  const secrets = variables.length === 0 ? '' : `, and finds ${variables.join(', ')} in ${ENVIRONMENT_PATH} alone`;
  context.output.note(
    `No worker is started here: the service (pid ${service.pid}) carries it out. It has the SSH keys of its user${secrets}.`,
  );
  return { queue: service.queue, bring: false };
}

function sharedQueue(cluster: string, queue: string): KubewrightError {
  return new KubewrightError('KW552', `The install of ${cluster} runs on task queue ${queue}, on which others work`, {
    hint:
      'A worker of yours would get steps of every cluster there. Leave --worker out to have theirs go on with it, or abort ' +
      'this run and start the install anew with --worker.',
  });
}

/** The engine as it is for a queue: what is started and what works with it agree on where. */
export function onQueue(engine: Engine, queue: string): Engine {
  return { ...engine, taskQueue: queue };
}

/** Before something is started on a queue whose worker this command brings: one of another version must not begin it. */
export async function retireOutdated({ shell }: CommandContext, engine: Engine, cluster: Cluster): Promise<void> {
  const { needsOf, retireOutdatedWorker } = await import('../../engine/index.js');
  await retireOutdatedWorker(engine, { env: shell.env, needs: needsOf(cluster) });
}

/**
 * Brings the worker of a cluster's own queue. One that was started from another terminal with other passwords, another agent or
 * another payload key is replaced, and that is told: what was given here counts.
 *
 * @param cluster what the steps need of the environment; undefined to be content with a worker as it is
 * @param variables what they need of it besides
 */
export async function bringWorker(
  { output, shell }: CommandContext,
  engine: Engine,
  cluster?: Cluster,
  variables: readonly string[] = [],
): Promise<WorkerProcess> {
  const { ensureWorker, needsOf, TASK_QUEUE } = await import('../../engine/index.js');
  const needs = cluster === undefined ? undefined : withVariables(needsOf(cluster), variables);
  const replace = engine.taskQueue !== (shell.env.KUBEWRIGHT_TASK_QUEUE || TASK_QUEUE);
  const worker = await ensureWorker(engine, { env: shell.env, needs, replace });
  if (worker.replacedFor.length > 0) {
    output.note(
      `The worker that ran had not this terminal's ${worker.replacedFor.join(', ')}: another one was started.`,
    );
  }
  if (worker.build !== BUILD) {
    output.note(
      `The worker that runs is kubewright ${worker.build}; this is ${BUILD}. What it has begun ends with it; behind that, or ` +
        'after `kubewright worker stop`, the next command brings one of this build.',
    );
  }
  return worker;
}

function withVariables(needs: WorkerNeeds, more: readonly string[]): WorkerNeeds {
  return { ...needs, variables: [...new Set([...needs.variables, ...more])].sort() };
}
