import { Command } from 'commander';
import type { Engine } from '../engine/index.js';
import type { Verb } from '../workflows/types.js';
import { action, type CommandContext } from './support/action.js';
import { EXIT, type ExitCode, type Shell } from './support/shell.js';

interface DecideOptions {
  cluster?: string;
  reason?: string;
}

const STEP = "the blocked step, such as cp-2/join, or '*' for all; may be left out when only one is blocked";

/** `kubewright retry [STEP]`. */
export function retryCommand(shell: Shell): Command {
  return decisionCommand(shell, 'retry', 'try a blocked step again, after its cause was mended')
    .argument('[step]', STEP)
    .option('--reason <text>', 'why, for the record');
}

/** `kubewright skip STEP --reason TEXT`. */
export function skipCommand(shell: Shell): Command {
  return decisionCommand(shell, 'skip', 'go on without a blocked step; refused where the cluster would not be whole')
    .argument('[step]', STEP)
    .requiredOption('--reason <text>', 'why, for the record');
}

/** `kubewright abort`: ends the run; what is done on the hosts stays. */
export function abortCommand(shell: Shell): Command {
  return decisionCommand(shell, 'abort', 'end the install; what is done on the hosts stays')
    .argument('[step]', 'left out: the whole run ends either way')
    .option('--reason <text>', 'why, for the record');
}

function decisionCommand(shell: Shell, verb: Verb, summary: string): Command {
  return new Command(verb)
    .summary(summary)
    .description(`${summary[0]?.toUpperCase()}${summary.slice(1)}.`)
    .option('--cluster <name>', 'name of the cluster; may be left out when there is only one')
    .action(action<DecideOptions, [string | undefined]>(shell, (context, step) => sendDecision(context, verb, step)));
}

async function sendDecision(
  context: CommandContext<DecideOptions>,
  verb: Verb,
  step: string | undefined,
): Promise<ExitCode> {
  const { options, output } = context;
  const { decide } = await import('../engine/index.js');
  const { chooseCluster, openExistingEngine } = await import('./support/engine.js');
  const engine = await openExistingEngine(context);
  try {
    const cluster = await chooseCluster(engine, options.cluster);
    const send = () => decide(engine, cluster, verb, { step, reason: options.reason });
    const outcome = await (verb === 'abort' ? withWorker(context, engine, cluster, send) : send());
    if (output.json) output.object({ type: 'decided', cluster, verb, ...outcome });
    else output.line(`${cluster}: ${outcome.message}`);
    if (outcome.via === 'signal' && engine.server !== undefined && !output.json) {
      output.note('`kubewright install cluster.yaml` brings a worker and goes on.');
    }
    return EXIT.ok;
  } finally {
    await engine.close();
  }
}

/**
 * Brings a worker for as long as the decision takes to have its effect. Aborting wants one: it ends what still runs on the
 * hosts, and nobody would start an install again only to have it aborted. On a server elsewhere the worker is elsewhere too.
 */
async function withWorker<T>(
  context: CommandContext,
  engine: Engine,
  cluster: string,
  send: () => Promise<T>,
): Promise<T> {
  if (engine.server === undefined) return await send();
  const { ensureWorker, watchInstall } = await import('../engine/index.js');
  const worker = await ensureWorker(engine, { env: context.shell.env });
  try {
    const outcome = await send();
    for await (const snapshot of watchInstall(engine, cluster)) if (snapshot.status !== 'running') break;
    return outcome;
  } finally {
    await worker.leave();
  }
}
