import type { Command } from 'commander';
import type { Output } from '../../terminal/output.js';
import { type GlobalOptions, mergedOptions } from './global-options.js';
import type { ExitCode, Shell } from './shell.js';

/** What a command's action works with. */
export interface CommandContext<Options = unknown> {
  options: GlobalOptions & Options;
  output: Output;
  shell: Shell;
}

/** Carries out a command and returns its exit code. Throws KubewrightErrors. */
export type Handler<Options, Arguments extends unknown[]> = (
  context: CommandContext<Options>,
  ...args: Arguments
) => Promise<ExitCode>;

/**
 * Makes a commander action of a handler. Everything heavy is imported by the handler itself, when it runs, so that
 * `kubewright --help` loads none of it.
 */
export function action<Options, Arguments extends unknown[] = []>(
  shell: Shell,
  handler: Handler<Options, Arguments>,
): (...args: unknown[]) => Promise<void> {
  return async (...args) => {
    // Commander hands over the arguments, then the command's own options, then the command.
    const command = args.at(-1) as Command;
    const options = mergedOptions<Options>(command);
    const output = await createOutput(shell, options);
    shell.exitCode = await handler({ options, output, shell }, ...(args.slice(0, -2) as Arguments));
    output.end(shell.exitCode);
  };
}

export async function createOutput(
  shell: Shell,
  { json, color, quiet }: Pick<GlobalOptions, 'json' | 'color' | 'quiet'>,
): Promise<Output> {
  const { Output } = await import('../../terminal/output.js');
  const { stdout, stderr, env } = shell;
  const colors = color === 'always' ? color : color !== 'never' && color !== false;
  return new Output({ stdout, stderr, env, json, color: colors, quiet });
}
