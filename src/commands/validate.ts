import { Command } from 'commander';
import { action } from './support/action.js';
import { FILE_ARGUMENT, nameOf } from './support/file-argument.js';
import { EXIT, type Shell } from './support/shell.js';

/** `kubewright validate FILE`: everything that is wrong with a cluster.yaml, at once, without touching any host. */
export function validateCommand(shell: Shell): Command {
  return new Command('validate')
    .summary('check a cluster.yaml without touching any host')
    .description('Checks a cluster.yaml and prints everything that is wrong with it, each with its line and column.')
    .argument(...FILE_ARGUMENT)
    .action(
      action<unknown, [string]>(shell, async ({ output, shell }, file) => {
        const { readCluster } = await import('./support/cluster-file.js');
        const { describeCluster } = await import('../terminal/plan.js');
        const { cluster, warnings } = await readCluster({ output, shell }, file);
        if (output.json) output.object({ type: 'valid', cluster: cluster.name, warnings });
        else output.line(`${nameOf(file)} is right: ${describeCluster(cluster)}`);
        return EXIT.ok;
      }),
    );
}
