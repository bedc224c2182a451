import type { Argument, Command, Option } from 'commander';

/** What a value is, as far as a shell can help with it. */
export type ValueKind = 'file' | 'directory' | 'other';

export interface ValueModel {
  kind: ValueKind;
  choices: readonly string[];
}

export interface OptionModel {
  /** Such as `-f` and `--file`. */
  flags: string[];
  description: string;
  /** Undefined for an option without a value. */
  value: ValueModel | undefined;
}

/** One command as completion sees it. */
export interface CommandModel {
  /** Names from the program's on: `kubewright lab up`. */
  path: string;
  /** What it has below it. */
  commands: { name: string; description: string }[];
  options: OptionModel[];
  /** What its arguments are, the last one for all that follow. */
  arguments: ValueModel[];
}

/** Every command of a program, from commander's own tree: nothing is listed a second time. @param load makes lazy groups complete */
export async function modelOf(
  program: Command,
  load: (command: Command) => Promise<void>,
  parents: string[] = [],
): Promise<CommandModel[]> {
  await load(program);
  const path = [...parents, program.name()];
  const visible = program.createHelp().visibleCommands(program);
  const model: CommandModel = {
    path: path.join(' '),
    commands: visible.map((command) => ({
      name: command.name(),
      description: sentence(command.summary() || command.description()),
    })),
    options: program.createHelp().visibleOptions(program).map(optionOf),
    arguments: program.registeredArguments.map(argumentOf),
  };
  const below = await Promise.all(visible.map((command) => modelOf(command, load, path)));
  return [model, ...below.flat()];
}

function optionOf({ short, long, description, flags, argChoices, required, optional }: Option): OptionModel {
  const value = required || optional ? { kind: kindOf(flags), choices: argChoices ?? [] } : undefined;
  return { flags: [short, long].filter((flag) => flag !== undefined), description: sentence(description), value };
}

function argumentOf(argument: Argument): ValueModel {
  return { kind: kindOf(argument.name()), choices: argument.argChoices ?? [] };
}

/** Options and arguments are named after what they take: `<file>`, `<path>`, `<directory>`. */
function kindOf(name: string): ValueKind {
  const [word = ''] = /\b(file|path|directory)\b(?=[^<]*$)/.exec(name) ?? [];
  return word === '' ? 'other' : word === 'directory' ? 'directory' : 'file';
}

/** The first part of a description, without what a shell or a list of completions would stumble over. */
function sentence(text: string): string {
  const [first = ''] = text.split(/[;\n]|\. |, default/);
  return first.replace(/['"`\\[\]:$]/g, '').trim();
}
