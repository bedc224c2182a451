import { Command } from 'commander';
import type { StartedRun } from '../engine/index.js';
import { action, type CommandContext } from './support/action.js';
import { addCarryOptions, type CarryOptions } from './support/carry-options.js';
import { FILE_ARGUMENT } from './support/file-argument.js';
import type { ExitCode, Shell } from './support/shell.js';

interface InstallOptions extends CarryOptions {
  leaveOutUnreachable: boolean;
}

/** `kubewright install FILE`: makes the cluster that the file describes, or goes on with it. */
export function installCommand(shell: Shell): Command {
  const command = new Command('install')
    .summary('make the cluster that a cluster.yaml describes, or go on with it')
    .description(
      'Makes the cluster that a cluster.yaml describes. Interrupted or killed at any moment, the same command goes on ' +
        'where it stood; on an installed cluster it changes nothing and says so. Without --address it starts and stops ' +
        'a Temporal server of its own.',
    )
    .argument(...FILE_ARGUMENT)
    .option(
      '--leave-out-unreachable',
      'go on without a worker that has not answered for as long as --patience says; exit code 5 names them',
      false,
    );
  return addCarryOptions(command, 'install').action(action<InstallOptions, [string]>(shell, install));
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
