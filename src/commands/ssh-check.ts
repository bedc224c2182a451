import { homedir } from 'node:os';
import { Command } from 'commander';
import { action, type CommandContext } from './support/action.js';
import { FILE_ARGUMENT } from './support/file-argument.js';
import { EXIT, type ExitCode, type Shell } from './support/shell.js';

interface SshCheckCommandOptions {
  offline?: boolean;
}

/** `kubewright ssh-check FILE`: how each host is reached, why so, and whether it works. Changes nothing, needs no Temporal. */
export function sshCheckCommand(shell: Shell): Command {
  return new Command('ssh-check')
    .summary('show how each host is reached, and try it')
    .description(
      'Shows for each host the jump hosts, user, port, keys in their order, host key and sudo, each with the key of ' +
        'cluster.yaml or the line of the SSH configuration that it comes from; then logs in. Exit code 1 when one fails.',
    )
    .argument(...FILE_ARGUMENT)
    .option('--offline', 'only show what would be done')
    .action(action<SshCheckCommandOptions, [string]>(shell, sshCheck));
}

async function sshCheck(
  { output, shell, options }: CommandContext<SshCheckCommandOptions>,
  file: string,
): Promise<ExitCode> {
  const { readCluster } = await import('./support/cluster-file.js');
  const { cluster } = await readCluster({ output, shell }, file);
  const { checkSsh } = await import('../hosts/ssh-check.js');
  const { sshReportEvent, sshReportLines } = await import('../terminal/ssh-report.js');
  const homeDirectory = shell.env.HOME ?? homedir();
  const reports = await checkSsh(cluster, { offline: options.offline ?? false, env: shell.env, homeDirectory });
  for (const report of reports) {
    if (output.json) output.object(sshReportEvent(report));
    else for (const line of sshReportLines(report, output.theme, output.columns)) output.line(line);
  }
  const failed = reports.filter(({ problem }) => problem !== undefined).length;
  if (output.json) output.object({ type: 'ssh-summary', cluster: cluster.name, hosts: reports.length, failed });
  return failed > 0 ? EXIT.failed : EXIT.ok;
}
