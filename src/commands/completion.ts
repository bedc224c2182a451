import { Argument, Command } from 'commander';
import { action } from './support/action.js';
import { loadLazily } from './support/lazy.js';
import { EXIT, type Shell } from './support/shell.js';

type ShellName = 'bash' | 'zsh' | 'fish';

/** `kubewright completion SHELL`: a script that completes commands, options and files, made from the commands themselves. */
export function completionCommand(shell: Shell): Command {
  const command = new Command('completion');
  return command
    .summary('print a script that completes commands in bash, zsh or fish')
    .description(
      'Prints a script that completes commands, options and files in a shell:\n' +
        '  bash  eval "$(kubewright completion bash)"     in ~/.bashrc\n' +
        '  zsh   eval "$(kubewright completion zsh)"      in ~/.zshrc, behind compinit\n' +
        '  fish  kubewright completion fish > ~/.config/fish/completions/kubewright.fish',
    )
    .addArgument(new Argument('<shell>', 'which shell it is for').choices(['bash', 'zsh', 'fish']))
    .action(
      action<unknown, [ShellName]>(shell, async ({ shell }, name) => {
        const { modelOf } = await import('./completion/model.js');
        const { bashCompletion } = await import('./completion/bash.js');
        const { zshCompletion } = await import('./completion/zsh.js');
        const { fishCompletion } = await import('./completion/fish.js');
        const program = command.parent ?? command;
        const commands = await modelOf(program, loadLazily);
        const write = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion }[name];
        shell.stdout.write(write(commands, program.name()));
        return EXIT.ok;
      }),
    );
}
