import type { ReadStream } from 'node:tty';
import { type Command, Option } from 'commander';
import { KubewrightError } from '../../errors.js';
import type { CommandContext } from './action.js';
import { mergedOptions } from './global-options.js';

const DEFAULT_FILE = 'cluster.yaml';

/** What every command that reads a cluster.yaml takes: for commander's `argument`. `addFileOption` gives it `--file`, too. */
export const FILE_ARGUMENT = ['[file]', 'path of the cluster.yaml, or - for standard input', DEFAULT_FILE] as const;

/** The name of standard input where a file is asked for, and of standard output where one is written. */
export const STDIN = '-';

/** How messages call the file: `standard input:3:7: …`. */
export function nameOf(file: string): string {
  return file === STDIN ? 'standard input' : file;
}

/** Before standard input is read: at a terminal the command would wait without a word. */
export function sayWaiting({ output, shell }: Pick<CommandContext, 'output' | 'shell'>): void {
  const { isTTY } = shell.stdin as Partial<ReadStream>;
  if (isTTY === true && !output.json) output.note('Reading standard input, up to Ctrl-D …');
}

export interface FileOption {
  file?: string;
}

/** `-f FILE`, as kubectl and its relatives have it. */
export function fileOption(): Option {
  return new Option('-f, --file <file>', 'the file, as an option').helpGroup('Options:');
}

/**
 * Gives `-f, --file FILE` to a command, and to those below it, whose arguments have a cluster.yaml by default: it takes the
 * argument's place before the command runs. To be called before the options of every command are added.
 *
 * @throws KubewrightError KW116, when the command runs, where both name a file and not the same
 */
export function addFileOption(command: Command): Command {
  for (const child of command.commands) addFileOption(child);
  const at = command.registeredArguments.findIndex(({ defaultValue }) => defaultValue === DEFAULT_FILE);
  if (at < 0) return command;
  return command.addOption(fileOption()).hook('preAction', (_, carriedOut) => {
    const { file } = mergedOptions<FileOption>(carriedOut);
    // The hook of `health` is called for `health schedule`, too.
    if (carriedOut === command && file !== undefined) {
      command.processedArgs[at] = oneFile(file, command.args[at]);
    }
  });
}

/** @throws KubewrightError KW116 */
export function oneFile(option: string, argument: string | undefined): string {
  if (argument === undefined || argument === option) return option;
  throw new KubewrightError('KW116', `two files are named: ${argument}, and ${option} by --file`, {
    hint: 'Name one of them.',
  });
}
