import { Command } from 'commander';
import type { Cluster } from '../cluster/types.js';
import type { Engine } from '../engine/index.js';
import { isKubewrightError, KubewrightError } from '../errors.js';
import { action, type CommandContext } from './support/action.js';
import { addCarryOptions, type CarryOptions } from './support/carry-options.js';
import { FILE_ARGUMENT } from './support/file-argument.js';
import { canAsk, openQuestions } from './support/questions.js';
import type { ExitCode, Shell } from './support/shell.js';
import type { Undertaking } from './support/undertaking.js';

interface ResetCommandOptions extends CarryOptions {
  host?: string;
  drain: boolean;
  yesReset?: string;
}

const OPERATION = 'reset';

/** `kubewright reset FILE`: gives the hosts of a cluster back as they were, or one of them. */
export function resetCommand(shell: Shell): Command {
  const command = new Command(OPERATION)
    .summary('give the hosts of a cluster back, or one of them')
    .description(
      'Keeps an encrypted backup, stops what runs for the cluster, takes away what Kubewright put on the hosts, brings back what was ' +
        'there before, and compares each host with that. With --host one host leaves a cluster that goes on: its pods are moved, its ' +
        'vote in etcd is given up, its node is deleted. A host that cannot be reached is named, and is to be wiped before reuse. ' +
        'Interrupted or killed at any moment, the same command goes on where it stood.',
    )
    .argument(...FILE_ARGUMENT)
    .option('--host <name>', 'only this host; the cluster goes on without it')
    .option('--no-drain', 'with --host: do not move its pods to other hosts first')
    .option('--yes-reset <name>', 'name of the cluster, in place of the question (for scripts)');
  return addCarryOptions(command, 'reset').action(action<ResetCommandOptions, [string]>(shell, reset));
}

async function reset(context: CommandContext<ResetCommandOptions>, file: string): Promise<ExitCode> {
  const { readCluster } = await import('./support/cluster-file.js');
  const { undertake } = await import('./support/undertaking.js');
  const { cluster } = await readCluster(context, file);
  requireHost(cluster, context.options.host);
  await confirm(context, cluster);
  return undertake(context, { operation: OPERATION, name: cluster.name }, () => undertaking(context, cluster, file));
}

async function undertaking(
  context: CommandContext<ResetCommandOptions>,
  cluster: Cluster,
  file: string,
): Promise<Undertaking> {
  const { host, drain, patience } = context.options;
  const [{ prepareRun }, { planReset }] = await Promise.all([import('../prepare-run.js'), import('../plan/reset.js')]);
  const run = { ...prepareRun(OPERATION, cluster, planReset(cluster, { host, drain })), patienceMs: patience };
  const again = `kubewright ${OPERATION} ${file}${host === undefined ? '' : ` --host ${host}${drain ? '' : ' --no-drain'}`}`;
  // A worker that falls silent in the middle keeps the others from nothing, and is told as one that is to be wiped.
  if (host !== undefined) return { operation: OPERATION, cluster, run, again };
  const whole = { ...run, unreachableWorkers: 'leave-out' as const };
  return { operation: OPERATION, cluster, run: whole, again, ended: (engine) => afterwards(context, engine, cluster) };
}

/** @throws KubewrightError KW103 */
function requireHost({ name, hosts }: Cluster, host: string | undefined): void {
  if (host === undefined || hosts.some((each) => each.name === host)) return;
  throw new KubewrightError('KW103', `cluster.yaml of ${name} has no host ${host}`, {
    hint: `Its hosts are ${hosts.map((each) => each.name).join(', ')}. One that never belonged to the cluster is not Kubewright's to reset.`,
  });
}

/**
 * Has a person write the cluster's name: nobody resets one by a slip of the history.
 *
 * @throws KubewrightError KW103 where another name was given, or nobody can be asked
 */
async function confirm(context: CommandContext<ResetCommandOptions>, { name, hosts }: Cluster): Promise<void> {
  const { host, yesReset } = context.options;
  const what = host === undefined ? `${name}, with all of its ${hosts.length} hosts` : `the host ${host} of ${name}`;
  if (yesReset !== undefined) {
    if (yesReset === name) return;
    throw new KubewrightError('KW103', `the file is of cluster ${name}, and --yes-reset names ${yesReset}`, {
      hint: 'Nothing was changed. Give the name of the cluster that you mean, and its file.',
    });
  }
  if (!canAsk(context)) {
    throw new KubewrightError('KW103', `nobody can be asked here whether to reset ${what}`, {
      hint: `Nothing was changed. In a script, say so: --yes-reset ${name}`,
    });
  }
  context.output.note(
    `This resets ${what}. What runs there ends, and what the cluster stored is gone but for the backup.`,
  );
  const questions = openQuestions(context.shell);
  try {
    await questions.ask(`Name of the cluster, to go on (Ctrl-C to leave it)`, (answer) => {
      if (answer === name) return true;
      context.output.note(`The name of the cluster is another one than "${answer}".`);
      return undefined;
    });
  } finally {
    questions.close();
  }
}

/** What is left of a cluster away from its hosts: its schedules end, and its kubeconfigs are named. */
async function afterwards({ output }: CommandContext, engine: Engine, { name }: Cluster): Promise<void> {
  const { changeDrillSchedule, changeHealthSchedule } = await import('../engine/index.js');
  const ends = [
    { what: 'health checks', none: 'KW606', remove: changeHealthSchedule },
    { what: 'drills', none: 'KW120', remove: changeDrillSchedule },
  ];
  for (const { what, none, remove } of ends) {
    try {
      await remove(engine, name, 'remove');
      output.note(`The ${what} of ${name} are removed; their reports stay.`);
    } catch (error) {
      if (!isKubewrightError(error)) throw error;
      if (error.code === none) continue;
      output.note(`The ${what} of ${name} could not be removed (${error.code}: ${error.message}).`);
    }
  }
  output.note(
    `Kubeconfigs of ${name} lead nowhere now and are left to you: ${name}.kubeconfig, and the context kubernetes-admin@${name} where it was merged into another one (kubectl config delete-context kubernetes-admin@${name}).`,
  );
}
