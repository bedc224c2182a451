import type { CommandModel, OptionModel, ValueModel } from './model.js';

/** Completion for fish: one line for each command and option, with the commands that have to stand before it. */
export function fishCompletion(commands: CommandModel[], program: string): string {
  const lines = commands.flatMap((command) => {
    const condition = conditionOf(command);
    const complete = `complete -c ${program} -n '${condition}'`;
    const isFile = command.arguments.some(({ kind }) => kind === 'file');
    const choices = command.arguments.flatMap((value) => value.choices);
    return [
      ...command.commands.map(({ name, description }) => `${complete} -a ${name} -d '${description}'`),
      ...(choices.length > 0 ? [`${complete} -a '${choices.join(' ')}'`] : []),
      ...(isFile ? [`${complete} -F`] : []),
      ...command.options.map((option) => `${complete}${optionWords(option)} -d '${option.description}'`),
    ];
  });
  return `# Completion of ${program} for fish: ${program} completion fish > ~/.config/fish/completions/${program}.fish
complete -c ${program} -f
${lines.join('\n')}
`;
}

/** The command itself is there, and none below it yet. */
function conditionOf({ path, commands }: CommandModel): string {
  const [, ...names] = path.split(' ');
  const seen = names.map((name) => `__fish_seen_subcommand_from ${name}`);
  const below = commands.map(({ name }) => name).join(' ');
  const none = below === '' ? [] : [`not __fish_seen_subcommand_from ${below}`];
  return [...seen, ...none].join('; and ') || 'true';
}

function optionWords({ flags, value }: OptionModel): string {
  const words = flags.map((flag) => (flag.startsWith('--') ? ` -l ${flag.slice(2)}` : ` -s ${flag.slice(1)}`));
  return `${words.join('')}${value === undefined ? '' : valueWords(value)}`;
}

function valueWords({ kind, choices }: ValueModel): string {
  if (choices.length > 0) return ` -x -a '${choices.join(' ')}'`;
  return kind === 'other' ? ' -x' : kind === 'directory' ? " -x -a '(__fish_complete_directories)'" : ' -r -F';
}
