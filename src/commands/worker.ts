import { homedir } from 'node:os';
import { Command } from 'commander';
import type { WorkerRecord } from '../engine/worker-process.js';
import type { WorkerObject } from '../terminal/json/background.js';
import { plural } from '../terminal/text.js';
import { action, type CommandContext } from './support/action.js';
import { EXIT, type ExitCode, type Shell } from './support/shell.js';

/** `kubewright worker`: carries out installs for a Temporal server until it is told to stop. */
export function workerCommand(shell: Shell): Command {
  const command = new Command('worker')
    .summary('run a worker in the foreground, or stop those in the background')
    .description(
      'Runs a worker until Ctrl-C: the process that logs in to the hosts and carries out the steps. install brings one by ' +
        'itself; run it here beside a Temporal server of your team. Passwords for sudo and the SSH agent are taken from ' +
        'its environment.',
    )
    .option('--metrics <address:port>', 'serve metrics for Prometheus there (also: KUBEWRIGHT_METRICS)')
    .action(action<WorkerOptions>(shell, worker));
  command
    .command('stop')
    .description('drain and stop the background workers; installs wait where they stand')
    .action(action(shell, stop));
  command.command('status').description('show the background workers').action(action(shell, show));
  return command;
}

interface WorkerOptions {
  metrics?: string;
}

async function stop(context: CommandContext): Promise<ExitCode> {
  const { stopWorkers } = await import('../engine/index.js');
  const { stateDir, isMeant } = await meantWorkers(context);
  const stopped = await stopWorkers(stateDir, isMeant);
  if (context.output.json)
    context.output.object({ type: 'worker', running: false, stopped: stopped > 0, workers: stopped });
  else if (stopped === 0) context.output.line('No background worker was running.');
  else
    context.output.line(`${plural(stopped, 'background worker')} drained and stopped; installs wait where they stand.`);
  return EXIT.ok;
}

async function show(context: CommandContext): Promise<ExitCode> {
  const { output } = context;
  const { listWorkers } = await import('../engine/index.js');
  const { stateDir, isMeant } = await meantWorkers(context);
  const records = (await listWorkers(stateDir)).filter(isMeant);
  for (const record of records) {
    if (output.json) output.object(workerObject(record));
    else output.line(`worker    pid ${record.pid}, version ${record.build}, for ${record.queue} at ${record.address}`);
    if (!output.json) output.line(`log       ${record.log}`);
  }
  if (records.length > 0) return EXIT.ok;
  if (output.json) output.object({ type: 'worker', running: false });
  else output.line('No background worker runs. install brings one.');
  return EXIT.ok;
}

/** What is known of a worker; its record holds more, which is between the commands. */
function workerObject({ pid, build, address, namespace, queue, embedded, detached, log }: WorkerRecord): WorkerObject {
  return { type: 'worker', running: true, pid, build, address, namespace, queue, embedded, detached, log };
}

/** The background workers of the server that is meant; nothing is started or asked to tell them. */
async function meantWorkers(
  context: CommandContext,
): Promise<{ stateDir: string; isMeant: (record: WorkerRecord) => boolean }> {
  const { connectOptions } = await import('./support/engine.js');
  const { resolveSettings } = await import('../engine/index.js');
  const options = await connectOptions(context);
  const named = resolveSettings(options);
  const isMeant = (record: WorkerRecord) =>
    named === undefined
      ? record.embedded
      : !record.embedded && record.address === named.address && record.namespace === named.namespace;
  return { stateDir: options.stateDir ?? '', isMeant };
}

async function worker(context: CommandContext<WorkerOptions>): Promise<ExitCode> {
  const { installRuntime, runWorker } = await import('../worker.js');
  const { describeSettings, environmentOf } = await import('../engine/settings.js');
  const { connectOptions } = await import('./support/engine.js');
  const { catchInterrupts } = await import('./support/interrupt.js');
  const { output } = context;
  const options = await connectOptions(context);
  const env: NodeJS.ProcessEnv = { HOME: homedir(), ...options.env, ...environmentOf(options) };
  if (options.address !== undefined) env.KUBEWRIGHT_EMBEDDED = '';
  if (context.options.metrics !== undefined) env.KUBEWRIGHT_METRICS = context.options.metrics;
  installRuntime(env);
  if (env.KUBEWRIGHT_METRICS) output.note(`Metrics: http://${env.KUBEWRIGHT_METRICS}/metrics`);
  const interrupt = catchInterrupts(() => process.exit(EXIT.interrupted));
  try {
    await runWorker({
      env,
      stateDir: options.stateDir,
      onServer: (settings) => output.note(describeSettings(settings)),
      signal: interrupt.signal,
      onReady: () => output.note('The worker is ready; Ctrl-C drains and stops it.'),
    });
    return EXIT.ok;
  } finally {
    interrupt.dispose();
  }
}
