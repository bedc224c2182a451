import { Command } from 'commander';
import type { DecisionOutcome, Engine } from '../engine/index.js';
import type { Verb } from '../workflows/types.js';
import { action, type CommandContext } from './support/action.js';
import { EXIT, type ExitCode, type Shell } from './support/shell.js';

interface DecideOptions {
  cluster?: string;
  reason?: string;
}

const STEP =
  "the blocked step, such as cp-2/join, or '*/join' for that of all hosts, or '*' for all; may be left out when only one is blocked";

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

function decisionCommand(shell: Shell, verb: Verb, summary: string): Command {
  return new Command(verb)
    .summary(summary)
    .description(`${summary[0]?.toUpperCase()}${summary.slice(1)}.`)
    .option('--cluster <name>', 'name of the cluster; may be left out when only one install runs')
    .action(action<DecideOptions, [string | undefined]>(shell, (context, step) => sendDecision(context, verb, step)));
}

/** What a person does about a decision that waits for a worker; undefined where one has answered, or is not ours to bring. */
export function howItGoesOn({ server }: Engine, { via, failing }: DecisionOutcome): string | undefined {
  if (via !== 'signal' || failing !== undefined || server === undefined) return undefined;
  return '`kubewright install cluster.yaml` brings a worker and goes on.';
}

async function sendDecision(
  context: CommandContext<DecideOptions>,
  verb: Verb,
  step: string | undefined,
): Promise<ExitCode> {
  const { options, output } = context;
  const { decide } = await import('../engine/index.js');
  const { chooseCluster, withExistingEngine } = await import('./support/engine.js');
  return await withExistingEngine(context, async (engine) => {
    const cluster = await chooseCluster(engine, options.cluster, 'running');
    const outcome = await decide(engine, cluster, verb, { step, reason: options.reason });
    if (output.json) output.object({ type: 'decided', cluster, verb, ...outcome });
    else output.line(`${cluster}: ${outcome.message}`);
    const note = howItGoesOn(engine, outcome);
    if (note !== undefined && !output.json) output.note(note);
    return EXIT.ok;
  });
}
