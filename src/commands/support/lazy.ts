import { Command } from 'commander';

/**
 * A group of commands whose code is loaded only when one of them is asked for, help included: the top-level help must
 * not wait for it.
 *
 * @param load makes the real command; its subcommands and options are moved over
 */
export function lazyGroup(name: string, summary: string, load: () => Promise<Command>): Command {
  // Positional, for some of the groups' commands hand what follows their arguments to another program.
  const group = new Command(name).summary(summary).description(summary).enablePositionalOptions();
  return Object.assign(group, { loadSubcommands: once(load, group) });
}

/** Loads the subcommands of a group made by `lazyGroup`; nothing for other commands. For commander's preSubcommand hook. */
export async function loadLazily(command: Command): Promise<void> {
  if ('loadSubcommands' in command && typeof command.loadSubcommands === 'function') await command.loadSubcommands();
}

function once(load: () => Promise<Command>, group: Command): () => Promise<void> {
  let loading: Promise<void> | undefined;
  return () => {
    loading ??= load().then((real) => {
      group.description(real.description());
      for (const option of real.options) group.addOption(option);
      for (const command of real.commands) group.addCommand(command);
    });
    return loading;
  };
}
