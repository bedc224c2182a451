import type { CommandModel, OptionModel, ValueModel } from './model.js';

/** Completion for zsh: one function for each command, by `_arguments`. */
export function zshCompletion(commands: CommandModel[], program: string): string {
  const functions = commands.map((command) => functionOf(command, commands));
  return `#compdef ${program}
# Completion of ${program} for zsh. In a directory of $fpath: ${program} completion zsh > ~/.zfunc/_${program}

${functions.join('\n')}
# Sourced, as by eval "$(${program} completion zsh)", it registers itself; loaded from $fpath, it is called.
if [ "$funcstack[1]" = _${program} ]; then _${program} "$@"; else compdef _${program} ${program}; fi
`;
}

function functionOf(command: CommandModel, all: CommandModel[]): string {
  const name = nameOf(command.path);
  const options = command.options.map((option) => `    ${optionSpec(option)}`);
  if (command.commands.length === 0) {
    const values = command.arguments.map((value, at) => `    '${at + 1}:${value.kind}:${actionOf(value)}'`);
    return `${name}() {\n  _arguments -s \\\n${[...options, ...values].join(' \\\n')}\n}\n`;
  }
  const described = command.commands.map((each) => `    '${each.name}:${each.description}'`).join('\n');
  const cases = all
    .filter(
      ({ path }) =>
        path.startsWith(`${command.path} `) && path.split(' ').length === command.path.split(' ').length + 1,
    )
    .map(({ path }) => `      ${path.split(' ').at(-1)}) ${nameOf(path)} ;;`);
  return `${name}() {
  local curcontext="$curcontext" context state state_descr line
  local -A opt_args
  local -a commands=(
${described}
  )
  _arguments -s -C \\
${[...options, "    '1: :->command'", "    '*:: :->rest'"].join(' \\\n')}
  case $state in
    command) _describe command commands${command.arguments.some(({ kind }) => kind === 'file') ? '; _files' : ''} ;;
    rest) case $line[1] in
${cases.join('\n')}
    esac ;;
  esac
}
`;
}

function nameOf(path: string): string {
  return `_${path.replace(/[ -]/g, '_')}`;
}

function optionSpec({ flags, description, value }: OptionModel): string {
  const what = value === undefined ? '' : `:value:${actionOf(value)}`;
  if (flags.length === 1) return `'${flags[0]}[${description}]${what}'`;
  return `'(${flags.join(' ')})'{${flags.join(',')}}'[${description}]${what}'`;
}

function actionOf({ kind, choices }: ValueModel): string {
  if (choices.length > 0) return `(${choices.join(' ')})`;
  return kind === 'file' ? '_files' : kind === 'directory' ? '_files -/' : ' ';
}
