import { Command, InvalidArgumentError } from 'commander';
import type { DecisionOutcome, Engine, RunSnapshot } from '../engine/index.js';
import { isKubewrightError, messageOf } from '../errors.js';
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

/** Long enough for every host that answers to let go; one that does not is named after a minute in the run's failure. */
const WAIT_MS = 60_000;

async function abort(context: CommandContext<AbortOptions>): Promise<ExitCode> {
  const { options } = context;
  const { chooseCluster, openExistingEngine } = await import('./support/engine.js');
  const { catchInterrupts } = await import('./support/interrupt.js');
  const interrupt = catchInterrupts(() => process.exit(EXIT.interrupted));
  try {
    const engine = await openExistingEngine(context, interrupt.signal);
    try {
      const cluster = await chooseCluster(engine, options.cluster, 'running');
      if (options.force) return await end(context, engine, cluster);
      return await withWorker(context, engine, cluster, () => send(context, engine, cluster, interrupt.signal));
    } finally {
      await engine.close();
    }
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
  { options, output }: CommandContext<AbortOptions>,
  engine: Engine,
  cluster: string,
  signal: AbortSignal,
): Promise<ExitCode> {
  const { decide } = await import('../engine/index.js');
  const outcome = await decide(engine, cluster, 'abort', { reason: options.reason });
  if (output.json) output.object({ type: 'decided', cluster, verb: 'abort', ...outcome });
  else output.line(`${cluster}: ${outcome.message}`);
  // On a server elsewhere the worker is elsewhere too: what it does about it is seen with `watch`.
  if (engine.server === undefined && outcome.failing === undefined) return EXIT.ok;
  const last = await awaitEnd(engine, cluster, outcome, signal);
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

/** The last that was seen of the run: it has ended, or a minute is over, or Ctrl-C, or waiting for it makes no sense. */
async function awaitEnd(
  engine: Engine,
  cluster: string,
  outcome: DecisionOutcome,
  signal: AbortSignal,
): Promise<RunSnapshot | undefined> {
  const { handOverForAbort, watchRun } = await import('../engine/index.js');
  let last: RunSnapshot | undefined;
  if (outcome.failing !== undefined) return undefined;
  const time = new AbortController();
  const timer = setTimeout(() => time.abort(), WAIT_MS);
  try {
    const until = AbortSignal.any([signal, time.signal]);
    for await (last of watchRun(engine, cluster, { signal: until })) {
      if (last.status !== 'running' || last.taskFailure !== undefined) break;
      if (outcome.via === 'signal') await handOverForAbort(engine, cluster, outcome.runId);
    }
    return last;
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Brings a worker for as long as the abort takes to have its effect: it ends what still runs on the hosts, and nobody would
 * start an install again only to have it aborted. Where none can be brought the abort is sent all the same.
 */
async function withWorker(
  context: CommandContext,
  engine: Engine,
  cluster: string,
  act: () => Promise<ExitCode>,
): Promise<ExitCode> {
  if (engine.server === undefined) return await act();
  const { queueOfRun } = await import('../engine/index.js');
  const { bringWorker, onQueue } = await import('./support/workers.js');
  const queue = await queueOfRun(engine, cluster);
  // Nothing runs: what is sent is refused, and says so.
  if (queue === undefined) return await act();
  const worker = await bringWorker(context, onQueue(engine, queue)).catch((error: unknown) => {
    const code = isKubewrightError(error) ? `${error.code}: ` : '';
    context.output.note(`No worker could be started for it (${code}${messageOf(error)}).`);
  });
  try {
    return await act();
  } finally {
    await worker?.leave();
  }
}
