import { Command } from 'commander';
import { action, type CommandContext } from './support/action.js';
import { FILE_ARGUMENT } from './support/file-argument.js';
import { EXIT, type ExitCode, type Shell } from './support/shell.js';

interface KubeconfigOptions {
  output?: string;
}

/** `kubewright kubeconfig FILE`: brings the cluster's kubeconfig from a healthy control plane. */
export function kubeconfigCommand(shell: Shell): Command {
  return new Command('kubeconfig')
    .summary("bring the cluster's kubeconfig from a healthy control plane")
    .description(
      'Reads the administrator kubeconfig over SSH from a control plane whose API server is ready, and writes it with ' +
        'mode 0600. A file that is there already is kept as a backup.',
    )
    .argument(...FILE_ARGUMENT)
    .option('--output <path>', 'file to write, or - for a pipe; default CLUSTER.kubeconfig')
    .action(action<KubeconfigOptions, [string]>(shell, kubeconfig));
}

async function kubeconfig(
  { output, options, shell }: CommandContext<KubeconfigOptions>,
  file: string,
): Promise<ExitCode> {
  const { readCluster } = await import('./support/cluster-file.js');
  const { cluster } = await readCluster({ output, shell }, file);
  const { fetchKubeconfig } = await import('../on-hosts.js');
  const { refuseTerminal, writeKubeconfig } = await import('./support/kubeconfig.js');
  const target = options.output ?? `${cluster.name}.kubeconfig`;
  if (target === '-') refuseTerminal(shell.stdout.isTTY === true);
  const { content, host } = await fetchKubeconfig(cluster, { env: shell.env });
  if (target === '-') {
    shell.stdout.write(content);
    return EXIT.ok;
  }
  const { backup, changed } = await writeKubeconfig(target, content, new Date());
  if (output.json) output.object({ type: 'kubeconfig', path: target, host, changed, backup });
  else {
    output.line(changed ? `Wrote ${target} (from ${host}).` : `${target} is up to date.`);
    if (backup !== undefined) output.line(`What was there before is in ${backup}.`);
    output.line(`Use it with: export KUBECONFIG=${target}`);
  }
  return EXIT.ok;
}
