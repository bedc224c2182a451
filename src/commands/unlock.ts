import { statSync } from 'node:fs';
import { Command } from 'commander';
import { action, type CommandContext } from './support/action.js';
import { FILE_ARGUMENT, type FileOption, fileOption, oneFile, STDIN } from './support/file-argument.js';
import { EXIT, type ExitCode, type Shell } from './support/shell.js';

/** `kubewright unlock FILE RUN`: takes the hosts from a run whose Temporal server is lost. */
export function unlockCommand(shell: Shell): Command {
  const command = new Command('unlock');
  return command
    .usage('[options] [file] <run>')
    .summary('take the hosts from a run whose Temporal server is lost')
    .description(
      'A run holds the hosts that it changes; a run of another Temporal server is refused meanwhile (KW590 names it). When its ' +
        'server is gone for good, this takes the hosts from it, over SSH and without Temporal. Should the run go on all the same, ' +
        'its steps are refused. Exit code 1 when a host could not be asked.',
    )
    .argument('[file]', `${FILE_ARGUMENT[1]} (default: "${FILE_ARGUMENT[2]}")`)
    .argument('[run]', 'id of the run, as the refusal names it')
    .addOption(fileOption())
    .action(
      action<FileOption, [string?, string?]>(shell, async (context, first, second) => {
        // The file may be left out, the run never.
        const [file, run] = second === undefined ? [undefined, first] : [first, second];
        if (run === undefined) return command.error("error: missing required argument 'run'");
        if (second === undefined && isFile(run)) {
          return command.error(`error: missing required argument 'run': ${run} is a file`);
        }
        const { file: option = file ?? FILE_ARGUMENT[2] } = context.options;
        return unlock(context, oneFile(option, file), run);
      }),
    );
}

/** Whether the only argument names a file, for ids of runs are words: then the run was forgotten. */
function isFile(argument: string): boolean {
  if (argument === STDIN || argument.includes('/') || /\.ya?ml$/.test(argument)) return true;
  return statSync(argument, { throwIfNoEntry: false })?.isFile() === true;
}

async function unlock({ output, shell }: CommandContext, file: string, run: string): Promise<ExitCode> {
  const { readCluster } = await import('./support/cluster-file.js');
  const { cluster } = await readCluster({ output, shell }, file);
  const { unlockHosts } = await import('../on-hosts.js');
  const { hosts, unasked } = await unlockHosts(cluster, run, { env: shell.env });
  if (output.json) output.object({ type: 'unlocked', cluster: cluster.name, run, hosts, unasked });
  else {
    output.line(`Taken from run ${run}: ${hosts.join(', ')}.`);
    for (const { host, why } of unasked)
      output.line(`Not asked: ${host} (${why}). The run may hold it for two hours more.`);
  }
  return unasked.length > 0 ? EXIT.failed : EXIT.ok;
}
