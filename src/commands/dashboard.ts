import { Command, InvalidArgumentError } from 'commander';
import type { DecisionAnswer, DecisionRequest } from '../dashboard/told.js';
import type { Engine } from '../engine/index.js';
import { howItGoesOn } from './decide.js';
import { action, type CommandContext } from './support/action.js';
import { EXIT, type ExitCode, type Shell } from './support/shell.js';

interface DashboardOptions {
  port: number;
}

/** `kubewright dashboard`: a page that shows the clusters, and takes decisions about blocked steps. */
export function dashboardCommand(shell: Shell): Command {
  return new Command('dashboard')
    .summary('show the clusters on a page in your browser')
    .description(
      'Serves a page on 127.0.0.1 until Ctrl-C: the clusters, their hosts, what is installed step by step, the last day of ' +
        'health checks; blocked steps can be retried and skipped there. It reads from Temporal and asks no host. The address ' +
        'that it prints holds a token: who has it may decide.',
    )
    .option('--port <number>', 'port of the page (default: one that is free)', port, 0)
    .action(action<DashboardOptions>(shell, dashboard));
}

function port(text: string): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && number <= 65_535) return number;
  throw new InvalidArgumentError('It is a number from 1 to 65535.');
}

async function dashboard(context: CommandContext<DashboardOptions>): Promise<ExitCode> {
  const { withExistingEngine } = await import('./support/engine.js');
  const { catchInterrupts } = await import('./support/interrupt.js');
  const interrupt = catchInterrupts(() => process.exit(EXIT.interrupted));
  try {
    return await withExistingEngine(
      context,
      async (engine) => {
        await serve(context, engine, interrupt.signal);
        return EXIT.ok;
      },
      interrupt.signal,
    );
  } finally {
    interrupt.dispose();
  }
}

async function serve(context: CommandContext<DashboardOptions>, engine: Engine, signal: AbortSignal): Promise<void> {
  const { output, options } = context;
  const { serveDashboard } = await import('../dashboard/server.js');
  const { temporalReader } = await import('../dashboard/reader.js');
  const page = await serveDashboard({
    reader: temporalReader(engine),
    decide: (cluster, decision) => decideHere(context, engine, signal, cluster, decision),
    port: options.port,
  });
  try {
    if (output.json) output.object({ type: 'dashboard', address: page.address });
    else output.line(page.address);
    output.note(
      'Open it in a browser on this machine. Who has the address may decide about steps. Ctrl-C ends the page.',
    );
    if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
  } finally {
    await page.close();
  }
}

/** The very decisions of `retry`, `skip` and `abort`. */
async function decideHere(
  context: CommandContext,
  engine: Engine,
  signal: AbortSignal,
  cluster: string,
  { verb, step, blocking, reason }: DecisionRequest,
): Promise<DecisionAnswer> {
  if (verb === 'abort') return await abortHere(context, engine, signal, cluster, reason);
  const { decide } = await import('../engine/index.js');
  const outcome = await decide(engine, cluster, verb, { step, blocking, reason });
  return { message: [outcome.message, howItGoesOn(engine, outcome)].filter(Boolean).join(' ') };
}

/** Answers as soon as the run has; its end is waited for behind that, and seen on the page. */
async function abortHere(
  context: CommandContext,
  engine: Engine,
  signal: AbortSignal,
  cluster: string,
  reason: string | undefined,
): Promise<DecisionAnswer> {
  const { abortRun } = await import('./support/aborting.js');
  return await new Promise((resolve, reject) => {
    const onOutcome = ({ message }: DecisionAnswer): void => resolve({ message });
    abortRun(context, engine, cluster, { reason, signal, onOutcome }).catch(reject);
  });
}
