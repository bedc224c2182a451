import { homedir } from 'node:os';
import { Command } from 'commander';
import type { WorkerOwner } from '../engine/worker-process.js';
import { action, type CommandContext } from './support/action.js';
import { EXIT, type ExitCode, type Shell } from './support/shell.js';

/** `kubewright worker`: carries out installs for a Temporal server until it is told to stop. */
export function workerCommand(shell: Shell): Command {
  const command = new Command('worker')
    .summary('run a worker in the foreground, or stop the one in the background')
    .description(
      'Runs a worker until Ctrl-C: the process that logs in to the hosts and carries out the steps. install brings one by ' +
        'itself; run it here beside a Temporal server of your team. Passwords for sudo and the SSH agent are taken from ' +
        'its environment.',
    )
    .action(action(shell, worker));
  command
    .command('stop')
    .description('drain and stop the background worker; installs wait where they stand')
    .action(action(shell, stop));
  command.command('status').description('show the background worker').action(action(shell, show));
  return command;
}

async function stop(context: CommandContext): Promise<ExitCode> {
  const { stopWorker } = await import('../engine/index.js');
  const stopped = await withOwner(context, stopWorker);
  if (context.output.json) context.output.object({ type: 'worker', running: false, stopped });
  else context.output.line(stopped ? 'The background worker has stopped.' : 'No background worker was running.');
  return EXIT.ok;
}

async function show({ output, ...context }: CommandContext): Promise<ExitCode> {
  const { workerStatus } = await import('../engine/index.js');
  const record = await withOwner({ output, ...context }, workerStatus);
  if (output.json) {
    output.object({ type: 'worker', running: record !== undefined, ...record });
    return EXIT.ok;
  }
  if (record === undefined) output.line('No background worker runs. install brings one.');
  else
    output.line(`worker    pid ${record.pid}, version ${record.build}, for ${record.address}\nlog       ${record.log}`);
  return EXIT.ok;
}

/** The embedded server's worker is known by the state directory alone; for another server's its settings are needed. */
async function withOwner<T>(context: CommandContext, use: (owner: WorkerOwner) => Promise<T>): Promise<T> {
  const { connectOptions, openEngine } = await import('./support/engine.js');
  const { resolveSettings } = await import('../engine/index.js');
  const options = await connectOptions(context);
  if (resolveSettings(options) === undefined) return await use({ stateDir: options.stateDir ?? '' });
  const engine = await openEngine(context);
  try {
    return await use(engine);
  } finally {
    await engine.close();
  }
}

async function worker(context: CommandContext): Promise<ExitCode> {
  const { runWorker } = await import('../worker.js');
  const { connectOptions } = await import('./support/engine.js');
  const { catchInterrupts } = await import('./support/interrupt.js');
  const { output } = context;
  const { stateDir, env, address, namespace, profile } = await connectOptions(context);
  const interrupt = catchInterrupts(() => process.exit(EXIT.interrupted));
  try {
    await runWorker({
      env: withSettings({ HOME: homedir(), ...env }, { address, namespace, profile }),
      stateDir,
      signal: interrupt.signal,
      onReady: () => output.note('The worker is ready; Ctrl-C drains and stops it.'),
    });
    return EXIT.ok;
  } finally {
    interrupt.dispose();
  }
}

/** Options as Temporal's own variables: what the worker reads. */
function withSettings(
  env: NodeJS.ProcessEnv,
  { address, namespace, profile }: { address?: string; namespace?: string; profile?: string },
): NodeJS.ProcessEnv {
  return {
    ...env,
    ...(address === undefined ? {} : { TEMPORAL_ADDRESS: address }),
    ...(namespace === undefined ? {} : { TEMPORAL_NAMESPACE: namespace }),
    ...(profile === undefined ? {} : { TEMPORAL_PROFILE: profile }),
  };
}
