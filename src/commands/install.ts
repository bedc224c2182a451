import { Command } from 'commander';
import type { StartedRun } from '../engine/index.js';
import { action, type CommandContext } from './support/action.js';
import { parseDuration } from './support/duration.js';
import { FILE_ARGUMENT } from './support/file-argument.js';
import type { ExitCode, Shell } from './support/shell.js';
import type { CarryOptions } from './support/undertaking.js';

interface InstallOptions extends CarryOptions {
  leaveOutUnreachable: boolean;
}

/** `kubewright install FILE`: makes the cluster that the file describes, or goes on with it. */
export function installCommand(shell: Shell): Command {
  return new Command('install')
    .summary('make the cluster that a cluster.yaml describes, or go on with it')
    .description(
      'Makes the cluster that a cluster.yaml describes. Interrupted or killed at any moment, the same command goes on ' +
        'where it stood; on an installed cluster it changes nothing and says so. Without --address it starts and stops ' +
        'a Temporal server of its own.',
    )
    .argument(...FILE_ARGUMENT)
    .option('--detach', 'leave worker and server running in the background, and return at once', false)
    .option('--wait', 'go on when a step is blocked (default on a terminal)')
    .option('--no-wait', 'exit with code 3 when a step is blocked and nothing else can run (default elsewhere)')
    .option('--timeout <duration>', 'exit with code 4 after so long, such as 45m; the install goes on', parseDuration)
    .option(
      '--patience <duration>',
      'ask a person about a host that has not answered for so long; it is tried on (default 10m)',
      parseDuration,
    )
    .option(
      '--leave-out-unreachable',
      'go on without a worker that has not answered for as long as --patience says; exit code 5 names them',
      false,
    )
    .option('--worker', 'start a worker here, for this cluster alone (default with the embedded server)')
    .option('--no-worker', 'start no worker: one runs elsewhere for this Temporal server')
    .action(action<InstallOptions, [string]>(shell, install));
}

async function install(context: CommandContext<InstallOptions>, file: string): Promise<ExitCode> {
  const { readCluster } = await import('./support/cluster-file.js');
  const { cluster } = await readCluster(context, file);
  const { undertake } = await import('./support/undertaking.js');
  return undertake(context, { operation: 'install', name: cluster.name }, async () => {
    const { prepareInstall } = await import('../prepare-run.js');
    const { patience, leaveOutUnreachable } = context.options;
    const unreachableWorkers = leaveOutUnreachable ? 'leave-out' : 'ask';
    const run = { ...prepareInstall(cluster), patienceMs: patience, unreachableWorkers } as const;
    const notices = (started: StartedRun) => noEffect(started, context.options);
    return { operation: 'install', cluster, run, again: `kubewright install ${file}`, notices };
  });
}

/** What was asked for and comes too late. */
function noEffect({ attached }: StartedRun, { leaveOutUnreachable }: InstallOptions): string[] {
  if (!attached || !leaveOutUnreachable) return [];
  return ['--leave-out-unreachable has no effect: this install runs already, as it was started.'];
}
