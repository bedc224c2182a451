import { Command } from 'commander';
import type { Engine } from '../engine/index.js';
import { action, type CommandContext } from './support/action.js';
import { addFollowOptions } from './support/carry-options.js';
import { EXIT, type ExitCode, type Shell } from './support/shell.js';

interface WatchCommandOptions {
  wait?: boolean;
  /** Milliseconds. */
  timeout?: number;
}

/** `kubewright watch [CLUSTER]`: follows a running operation from anywhere. */
export function watchCommand(shell: Shell): Command {
  const command = new Command('watch')
    .summary('follow a running operation')
    .description(
      'Follows an operation, such as an install, until it ends. Ctrl-C ends the watching, not the operation.',
    )
    .argument('[cluster]', 'name of the cluster; may be left out when there is only one');
  return addFollowOptions(command, 'operation').action(action<WatchCommandOptions, [string | undefined]>(shell, watch));
}

async function watch(context: CommandContext<WatchCommandOptions>, named: string | undefined): Promise<ExitCode> {
  const { withExistingEngine } = await import('./support/engine.js');
  const { catchInterrupts } = await import('./support/interrupt.js');
  const interrupt = catchInterrupts(() => process.exit(EXIT.interrupted));
  try {
    return await withExistingEngine(
      context,
      (engine) => watchOn(context, engine, named, interrupt.signal),
      interrupt.signal,
    );
  } finally {
    interrupt.dispose();
  }
}

async function watchOn(
  { output, options }: CommandContext<WatchCommandOptions>,
  engine: Engine,
  named: string | undefined,
  signal: AbortSignal,
): Promise<ExitCode> {
  const { chooseCluster } = await import('./support/engine.js');
  const { tellBlocked, tellEnding, tellTimeout } = await import('./support/ending.js');
  const { follow } = await import('./support/follow.js');
  const cluster = await chooseCluster(engine, named, 'running');
  const waitWhenBlocked = options.wait ?? output.interactive;
  const { why, snapshot } = await follow(engine, cluster, output, {
    waitWhenBlocked,
    signal,
    timeoutMs: options.timeout,
  });
  if (why === 'timeout') {
    const goOn = `kubewright watch ${cluster} --timeout …`;
    return tellTimeout(output, cluster, options.timeout ?? 0, { rest: 'goes on without being watched', goOn });
  }
  if (why === 'interrupted' || snapshot === undefined) return EXIT.interrupted;
  return why === 'blocked'
    ? tellBlocked(output, snapshot, `kubewright watch ${cluster}`)
    : tellEnding(output, snapshot);
}
