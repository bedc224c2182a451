import { Command, InvalidArgumentError } from 'commander';
import type { DecisionOutcome, Engine } from '../engine/index.js';
import { action, type CommandContext } from './support/action.js';
import { EXIT, type ExitCode, type Shell } from './support/shell.js';

interface AbortOptions {
  cluster?: string;
  reason?: string;
  force: boolean;
}

/** `kubewright abort`: ends the run; what is done on the hosts stays. */
export function abortCommand(shell: Shell): Command {
  return new Command('abort')
    .summary('end the install; what is done on the hosts stays')
    .description(
      'Ends the install: what it runs on the hosts is stopped, what is done there stays. It says at once what the install ' +
        'answered, and waits a minute at most for its end.',
    )
    .argument('[step]', 'none: an abort ends the whole install', refuseStep)
    .option('--cluster <name>', 'name of the cluster; may be left out when only one install runs')
    .option('--reason <text>', 'why, for the record')
    .option('--force', 'end an install that cannot go on, without asking it; what runs on the hosts runs on', false)
    .action(action<AbortOptions, [undefined]>(shell, abort));
}

function refuseStep(step: string): never {
  throw new InvalidArgumentError(
    `An abort ends the whole install. To leave one step out: kubewright skip ${step} --reason '…'`,
  );
}

async function abort(context: CommandContext<AbortOptions>): Promise<ExitCode> {
  const { options } = context;
  const { chooseCluster, withExistingEngine } = await import('./support/engine.js');
  const { catchInterrupts } = await import('./support/interrupt.js');
  const interrupt = catchInterrupts(() => process.exit(EXIT.interrupted));
  try {
    return await withExistingEngine(
      context,
      async (engine) => {
        const cluster = await chooseCluster(engine, options.cluster, 'running');
        if (options.force) return await end(context, engine, cluster);
        return await send(context, engine, cluster, interrupt.signal);
      },
      interrupt.signal,
    );
  } finally {
    interrupt.dispose();
  }
}

async function end({ options, output }: CommandContext<AbortOptions>, engine: Engine, cluster: string) {
  const { endRun } = await import('../engine/index.js');
  await endRun(engine, cluster, options.reason);
  if (output.json) output.object({ type: 'decided', cluster, verb: 'abort', force: true });
  else
    output.line(`${cluster}: the install was ended without being asked. What it started on the hosts runs on there.`);
  output.note('`kubewright install cluster.yaml` starts anew: it finds what is done, and what still runs.');
  return EXIT.ok;
}

async function send(
  context: CommandContext<AbortOptions>,
  engine: Engine,
  cluster: string,
  signal: AbortSignal,
): Promise<ExitCode> {
  const { options, output } = context;
  const { abortRun } = await import('./support/aborting.js');
  const onOutcome = (outcome: DecisionOutcome): void => {
    if (output.json) output.object({ type: 'decided', cluster, verb: 'abort', ...outcome });
    else output.line(`${cluster}: ${outcome.message}`);
  };
  const { outcome, last, isElsewhere } = await abortRun(context, engine, cluster, {
    reason: options.reason,
    signal,
    onOutcome,
  });
  if (isElsewhere) return EXIT.ok;
  if (last !== undefined && last.status !== 'running') {
    if (!output.json) output.line(`${cluster}: ${last.failure?.message ?? 'the install has ended'}`);
    return EXIT.ok;
  }
  const why = outcome.failing ?? last?.taskFailure;
  output.note(
    `${cluster} has not ended yet${why === undefined ? '' : `: its workers fail (${why})`}. The abort is kept.`,
  );
  output.note(`  follow it:         kubewright watch ${cluster}`);
  output.note(`  end it at once:    kubewright abort --force --cluster ${cluster}    (what runs on the hosts runs on)`);
  return signal.aborted ? EXIT.interrupted : EXIT.timeout;
}
