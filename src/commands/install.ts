import { Command } from 'commander';
import { BUILD } from '../build.js';
import type { Cluster } from '../cluster/types.js';
import type { Engine, StartedRun, WorkerProcess } from '../engine/index.js';
import { action, type CommandContext } from './support/action.js';
import { parseDuration } from './support/duration.js';
import { FILE_ARGUMENT } from './support/file-argument.js';
import { EXIT, type ExitCode, type Shell } from './support/shell.js';

interface InstallOptions {
  detach: boolean;
  wait?: boolean;
  /** Milliseconds, as is `patience`. */
  timeout?: number;
  patience?: number;
  worker?: boolean;
  leaveOutUnreachable: boolean;
}

/** `kubewright install FILE`: makes the cluster that the file describes, or goes on with it. */
export function installCommand(shell: Shell): Command {
  return new Command('install')
    .summary('make the cluster that a cluster.yaml describes, or go on with it')
    .description(
      'Makes the cluster that a cluster.yaml describes. Interrupted or killed at any moment, the same command goes on ' +
        'where it stood; on an installed cluster it changes nothing and says so. Without --address it starts and stops ' +
        'a Temporal server of its own.',
    )
    .argument(...FILE_ARGUMENT)
    .option('--detach', 'leave worker and server running in the background, and return at once', false)
    .option('--wait', 'go on when a step is blocked (default on a terminal)')
    .option('--no-wait', 'exit with code 3 when a step is blocked and nothing else can run (default elsewhere)')
    .option('--timeout <duration>', 'exit with code 4 after so long, such as 45m; the install goes on', parseDuration)
    .option(
      '--patience <duration>',
      'ask a person about a host that has not answered for so long; it is tried on (default 10m)',
      parseDuration,
    )
    .option(
      '--leave-out-unreachable',
      'go on without a worker that has not answered for as long as --patience says; exit code 5 names them',
      false,
    )
    .option('--worker', 'start a worker here, for this cluster alone (default with the embedded server)')
    .option('--no-worker', 'start no worker: one runs elsewhere for this Temporal server')
    .action(action<InstallOptions, [string]>(shell, install));
}

async function install(context: CommandContext<InstallOptions>, file: string): Promise<ExitCode> {
  const { readCluster } = await import('./support/cluster-file.js');
  const { cluster } = await readCluster(context, file);
  const { catchInterrupts } = await import('./support/interrupt.js');
  const { openEngine } = await import('./support/engine.js');
  const parts: { worker?: WorkerProcess } = {};
  const interrupt = catchInterrupts(() => {
    // What runs on the hosts runs on, and the next command finds it again. A worker that others brought is left alone.
    if (parts.worker?.started) killGroup(parts.worker.pid);
    process.exit(EXIT.interrupted);
  });
  try {
    // Whatever fails once Ctrl-C was pressed fails for that: what is got ready ends in the middle.
    const engine = await openEngine(context, interrupt.signal).catch((error: unknown) => {
      if (!interrupt.signal.aborted) throw error;
    });
    if (engine === undefined) return tellNotBegun(context, cluster);
    try {
      return await run(context, { engine, cluster, file, signal: interrupt.signal, parts });
    } finally {
      // The worker first, for it drains with the server's help; the server is let go of even where that fails.
      await (parts.worker?.leave() ?? Promise.resolve()).finally(() => engine.close());
    }
  } finally {
    interrupt.dispose();
  }
}

interface Run {
  engine: Engine;
  cluster: Cluster;
  file: string;
  signal: AbortSignal;
  parts: { worker?: WorkerProcess };
}

async function run(
  context: CommandContext<InstallOptions>,
  { engine, cluster, file, signal, parts }: Run,
): Promise<ExitCode> {
  const { options, output } = context;
  const { tellBlocked, tellEnding } = await import('./support/ending.js');
  const { follow } = await import('./support/follow.js');
  const { bringWorker, chooseWorker, onQueue, retireOutdated } = await import('./support/workers.js');
  const { queue, bring } = await chooseWorker(context, engine, cluster.name, options.worker);
  if (bring) await retireOutdated(context, onQueue(engine, queue), cluster);
  const started = await start(context, onQueue(engine, queue), cluster);
  if (bring) parts.worker = await bringWorker(context, onQueue(engine, queue), cluster);
  await announce(context, engine, cluster, started);
  if (options.detach) return await leaveRunning(context, engine, cluster, parts.worker);
  const waitWhenBlocked = options.wait ?? output.interactive;
  const { why, snapshot } = await follow(engine, cluster.name, output, {
    waitWhenBlocked,
    signal,
    timeoutMs: options.timeout,
    keepAlive: () => parts.worker?.revive(),
  });
  if (why === 'timeout') return await leaveUnfinished(context, { engine, cluster, file, parts });
  if (why === 'interrupted' || snapshot === undefined) return tellInterrupted(context, cluster, file, bring);
  if (why === 'blocked') return tellBlocked(output, snapshot, `kubewright install ${file}`);
  return tellEnding(output, snapshot);
}

/** @throws KubewrightError KW520 when an install with another plan runs, after telling what differs */
async function start(
  { output, options }: CommandContext<InstallOptions>,
  engine: Engine,
  cluster: Cluster,
): Promise<StartedRun> {
  const { PlanConflictError, startRun } = await import('../engine/index.js');
  const { prepareInstall } = await import('../prepare-run.js');
  try {
    const unreachableWorkers = options.leaveOutUnreachable ? 'leave-out' : 'ask';
    return await startRun(engine, { ...prepareInstall(cluster), patienceMs: options.patience, unreachableWorkers });
  } catch (error) {
    if (!(error instanceof PlanConflictError)) throw error;
    const { differences } = await import('../cluster/differences.js');
    const lines = differences(error.running.cluster, cluster);
    if (output.json) output.object({ type: 'differences', lines });
    else output.note(differenceText(lines, error.running.build));
    throw error;
  }
}

function differenceText(lines: string[], build: string): string {
  if (lines.length === 0) return `The file is the same, but the running install was planned by kubewright ${build}.`;
  return ['What the file says now, against the running install:', ...lines.map((line) => `  ${line}`)].join('\n');
}

async function announce(
  { output, options }: CommandContext<InstallOptions>,
  engine: Engine,
  cluster: Cluster,
  started: StartedRun,
): Promise<void> {
  const ui = engine.server?.uiUrl;
  if (started.notice !== undefined) output.note(started.notice);
  if (started.attached && options.patience !== undefined) {
    output.note('--patience has no effect: this install runs already, with the patience that it was started with.');
  }
  if (started.attached && options.leaveOutUnreachable) {
    output.note('--leave-out-unreachable has no effect: this install runs already, as it was started.');
  }
  const { workflowId, runId, attached, startedAt, build } = started;
  if (output.json) {
    output.object({
      type: 'started',
      cluster: cluster.name,
      workflowId,
      runId,
      attached,
      startedAt,
      build,
      address: engine.settings.address,
      ui,
    });
    return;
  }
  if (attached) {
    const { utcMinute } = await import('../terminal/text.js');
    const since = startedAt === undefined ? '' : ` since ${utcMinute(startedAt)} UTC`;
    output.note(`An install of ${cluster.name} runs already${since} (run ${runId}): it is followed from here.`);
    if (build !== undefined && build !== BUILD) {
      output.note(`It was planned by kubewright ${build}; this is ${BUILD}, which means the same by its plan.`);
    }
  }
  if (ui !== undefined) output.note(`Temporal's UI: ${ui}`);
}

async function leaveRunning(
  { output }: CommandContext,
  engine: Engine,
  cluster: Cluster,
  worker: WorkerProcess | undefined,
): Promise<ExitCode> {
  await engine.server?.detach();
  await worker?.detach();
  if (output.json) return EXIT.ok;
  output.line(`The install of ${cluster.name} runs in the background.`);
  output.line(`  follow it:     kubewright watch ${cluster.name}`);
  output.line('  stop it all:   kubewright server stop');
  if (worker !== undefined) output.line(`  worker's log:  ${worker.log}`);
  return EXIT.ok;
}

/** Time is up for this command, not for the install: worker and server are left running for it. */
async function leaveUnfinished(
  { output, options }: CommandContext<InstallOptions>,
  { engine, cluster, file, parts }: Omit<Run, 'signal'>,
): Promise<ExitCode> {
  const { tellTimeout } = await import('./support/ending.js');
  await engine.server?.detach();
  await parts.worker?.detach();
  const rest = parts.worker === undefined ? 'goes on with the worker elsewhere' : 'goes on in the background';
  return tellTimeout(output, cluster.name, options.timeout ?? 0, { rest, goOn: `kubewright install ${file}` });
}

function tellNotBegun({ output }: CommandContext, cluster: Cluster): ExitCode {
  if (output.json) output.object({ type: 'interrupted', cluster: cluster.name });
  output.note(`\nInterrupted while Temporal was got ready: the install of ${cluster.name} was not begun from here.`);
  return EXIT.interrupted;
}

function tellInterrupted({ output }: CommandContext, cluster: Cluster, file: string, brought: boolean): ExitCode {
  if (output.json) output.object({ type: 'interrupted', cluster: cluster.name });
  output.note('\nStopping in order: the worker lets go of the hosts (Ctrl-C again forces it).');
  const rest = brought ? 'waits where it stands' : 'goes on with the worker elsewhere';
  output.note(`The install of ${cluster.name} ${rest}. Go on with: kubewright install ${file}`);
  return EXIT.interrupted;
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended already.
  }
}
