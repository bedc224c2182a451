import { type Command, Option } from 'commander';

/** Options that every command takes, before or behind its name. */
export interface GlobalOptions {
  json: boolean;
  /** What `--color` says; false for `--no-color`. */
  color?: 'auto' | 'always' | 'never' | false;
  quiet?: boolean;
  stateDir?: string;
  address?: string;
  embedded?: boolean;
  namespace?: string;
  profile?: string;
}

/** To be called on the program and on each of its commands: what follows a command's name is parsed by that command alone. */
export function addGlobalOptions(command: Command): Command {
  return command
    .optionsGroup('Options of every command:')
    .option('--json', 'print one JSON object a line, for programs')
    .option('-q, --quiet', 'print results and errors only, nothing on the way')
    .addOption(
      new Option('--color <when>', 'print colours: on a terminal, or for a pager').choices(['auto', 'always', 'never']),
    )
    .option('--no-color', 'print without colours (also: NO_COLOR=1)')
    .option('--state-dir <directory>', 'where the embedded Temporal server keeps its data (also: KUBEWRIGHT_STATE)')
    .option('--address <host:port>', 'use this Temporal server, not the embedded one (also: TEMPORAL_ADDRESS)')
    .option('--embedded', 'use the embedded Temporal server, whatever else names one (also: KUBEWRIGHT_EMBEDDED=1)')
    .option('--namespace <name>', 'Temporal namespace (also: TEMPORAL_NAMESPACE)')
    .option('--profile <name>', "profile in Temporal's temporal.toml (also: TEMPORAL_PROFILE)");
}

/**
 * A command's options and those given before its name. What was written wins over a default, and what stands nearer to the
 * end of the line wins over what stands before.
 */
export function mergedOptions<Options>(command: Command): GlobalOptions & Options {
  const chain: Command[] = [];
  for (let at: Command | null = command; at !== null; at = at.parent) chain.unshift(at);
  const merged: Record<string, unknown> = { json: false };
  for (const each of chain) {
    for (const [name, value] of Object.entries(each.opts())) {
      if (!(name in merged) || each.getOptionValueSource(name) !== 'default') merged[name] = value;
    }
  }
  return merged as unknown as GlobalOptions & Options;
}
