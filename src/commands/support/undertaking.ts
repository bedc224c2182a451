import { BUILD } from '../../build.js';
import type { Cluster } from '../../cluster/types.js';
import type { Engine, RunSnapshot, StartedRun, StartOptions, WorkerProcess } from '../../engine/index.js';
import { OPERATIONS, type Operation } from '../../plan/operations.js';
import type { CommandContext } from './action.js';
import type { CarryOptions } from './carry-options.js';
import type { Followed } from './follow.js';
import { EXIT, type ExitCode } from './shell.js';

/** An operation on a cluster, as a command was asked for it. */
export interface Undertaking {
  operation: Operation;
  cluster: Cluster;
  run: StartOptions;
  /** The command that goes on with it. */
  again: string;
  /** What a person should know of a run that was found, one sentence each. */
  notices?(started: StartedRun): string[];
  /** What is to be done here once it has ended well, before its end is told. */
  ended?(engine: Engine, snapshot: RunSnapshot): Promise<void>;
  /** Variables of the environment that its steps look up besides those that the file names. */
  variables?: readonly string[];
  /** What else is done with what came of it, once that was told. */
  told?(snapshot: RunSnapshot): Promise<void>;
  /** Whether Ctrl-C aborts it and waits for its end, for what it has begun is to be put back, and not to wait where it stands. */
  abortsOnInterrupt?: true;
}

/**
 * Starts an operation, or finds it running, and follows it to its end, with a worker of this command's own where there is nobody else.
 *
 * @param name of what is asked for, as far as it is known before Temporal is: a cluster's name, or what was given for one
 * @param prepare what to do, once there is a Temporal server that can be asked
 */
export async function undertake(
  context: CommandContext<CarryOptions>,
  { operation, name }: { operation: Operation; name: string },
  prepare: (engine: Engine) => Promise<Undertaking>,
): Promise<ExitCode> {
  const { catchInterrupts } = await import('./interrupt.js');
  const { openEngine } = await import('./engine.js');
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
    if (engine === undefined) return tellNotBegun(context, name, OPERATIONS[operation].words.noun);
    try {
      return await run(context, { engine, what: await prepare(engine), signal: interrupt.signal, parts });
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
  what: Undertaking;
  signal: AbortSignal;
  parts: { worker?: WorkerProcess };
}

async function run(context: CommandContext<CarryOptions>, { engine, what, signal, parts }: Run): Promise<ExitCode> {
  const { options, output } = context;
  const { cluster, again } = what;
  const { tellBlocked, tellEnding } = await import('./ending.js');
  const { follow } = await import('./follow.js');
  const { bringWorker, chooseWorker, onQueue, retireOutdated } = await import('./workers.js');
  const { queue, bring } = await chooseWorker(context, engine, cluster.name, options.worker);
  if (bring) await retireOutdated(context, onQueue(engine, queue), cluster);
  const started = await start(context, onQueue(engine, queue), what);
  if (bring) parts.worker = await bringWorker(context, onQueue(engine, queue), cluster, what.variables);
  await announce(context, engine, what, started);
  if (options.detach) return await leaveRunning(context, engine, what, parts.worker);
  const waitWhenBlocked = options.wait ?? output.interactive;
  let { why, snapshot } = await follow(engine, cluster.name, output, {
    waitWhenBlocked,
    signal,
    timeoutMs: options.timeout,
    keepAlive: () => parts.worker?.revive(),
  });
  if (why === 'timeout') return await leaveUnfinished(context, { engine, what, parts });
  if (why === 'interrupted' && what.abortsOnInterrupt === true) {
    ({ why, snapshot } = await abortAndFollow(context, engine, cluster.name));
  }
  if (why === 'interrupted' || snapshot === undefined) return tellInterrupted(context, what, bring);
  if (why === 'blocked') return tellBlocked(output, snapshot, again);
  if (snapshot.status === 'completed') await what.ended?.(engine, snapshot);
  const code = tellEnding(output, snapshot);
  await what.told?.(snapshot);
  return code;
}

/** Ctrl-C again forces it: what was begun is then left as it is. */
async function abortAndFollow({ output }: CommandContext, engine: Engine, cluster: string): Promise<Followed> {
  const { decide } = await import('../../engine/index.js');
  const { follow } = await import('./follow.js');
  output.note('\nEnding in order: what was begun is put back first (Ctrl-C again forces it).');
  // One that has just ended refuses it, and is told as it ended.
  await decide(engine, cluster, 'abort', { reason: 'Ctrl-C' }).catch(() => undefined);
  return follow(engine, cluster, output, { waitWhenBlocked: true, signal: new AbortController().signal });
}

/** @throws KubewrightError KW520 when the same operation runs with another plan, after telling what differs */
async function start(
  { output }: CommandContext<CarryOptions>,
  engine: Engine,
  { run: options, cluster, operation }: Undertaking,
): Promise<StartedRun> {
  const { PlanConflictError, startRun } = await import('../../engine/index.js');
  try {
    return await startRun(engine, options);
  } catch (error) {
    if (!(error instanceof PlanConflictError)) throw error;
    const { differences } = await import('../../cluster/differences.js');
    const lines = differences(error.running.cluster, cluster);
    if (output.json) output.object({ type: 'differences', lines });
    else output.note(differenceText(lines, error.running.build, OPERATIONS[operation].words.noun));
    throw error;
  }
}

function differenceText(lines: string[], build: string, noun: string): string {
  if (lines.length === 0) return `The file is the same, but the running ${noun} was planned by kubewright ${build}.`;
  return [`What the file says now, against the running ${noun}:`, ...lines.map((line) => `  ${line}`)].join('\n');
}

async function announce(
  { output, options }: CommandContext<CarryOptions>,
  engine: Engine,
  { cluster, operation, notices }: Undertaking,
  started: StartedRun,
): Promise<void> {
  const ui = engine.server?.uiUrl;
  const { noun } = OPERATIONS[operation].words;
  if (started.notice !== undefined) output.note(started.notice);
  if (started.attached && options.patience !== undefined) {
    output.note(`--patience has no effect: this ${noun} runs already, with the patience that it was started with.`);
  }
  for (const notice of notices?.(started) ?? []) output.note(notice);
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
    const { utcMinute } = await import('../../terminal/text.js');
    const since = startedAt === undefined ? '' : ` since ${utcMinute(startedAt)} UTC`;
    const article = /^[aeiou]/.test(noun) ? 'An' : 'A';
    output.note(`${article} ${noun} of ${cluster.name} runs already${since} (run ${runId}): it is followed from here.`);
    if (build !== undefined && build !== BUILD) {
      output.note(`It was planned by kubewright ${build}; this is ${BUILD}, which means the same by its plan.`);
    }
  }
  if (ui !== undefined) output.note(`Temporal's UI: ${ui}`);
}

async function leaveRunning(
  { output }: CommandContext,
  engine: Engine,
  { cluster, operation }: Undertaking,
  worker: WorkerProcess | undefined,
): Promise<ExitCode> {
  await engine.server?.detach();
  await worker?.detach();
  if (output.json) return EXIT.ok;
  output.line(`The ${OPERATIONS[operation].words.noun} of ${cluster.name} runs in the background.`);
  output.line(`  follow it:     kubewright watch ${cluster.name}`);
  output.line('  stop it all:   kubewright server stop');
  if (worker !== undefined) output.line(`  worker's log:  ${worker.log}`);
  return EXIT.ok;
}

/** Time is up for this command, not for the run: worker and server are left running for it. */
async function leaveUnfinished(
  { output, options }: CommandContext<CarryOptions>,
  { engine, what: { cluster, operation, again }, parts }: Omit<Run, 'signal'>,
): Promise<ExitCode> {
  const { tellTimeout } = await import('./ending.js');
  await engine.server?.detach();
  await parts.worker?.detach();
  const rest = parts.worker === undefined ? 'goes on with the worker elsewhere' : 'goes on in the background';
  const { noun } = OPERATIONS[operation].words;
  return tellTimeout(output, cluster.name, options.timeout ?? 0, { rest, goOn: again, noun });
}

function tellNotBegun({ output }: CommandContext, name: string, noun: string): ExitCode {
  if (output.json) output.object({ type: 'interrupted', cluster: name });
  output.note(`\nInterrupted while Temporal was got ready: the ${noun} of ${name} was not begun from here.`);
  return EXIT.interrupted;
}

function tellInterrupted({ output }: CommandContext, what: Undertaking, brought: boolean): ExitCode {
  const { cluster, operation, again } = what;
  if (output.json) output.object({ type: 'interrupted', cluster: cluster.name });
  output.note('\nStopping in order: the worker lets go of the hosts (Ctrl-C again forces it).');
  const rest = brought ? 'waits where it stands' : 'goes on with the worker elsewhere';
  output.note(`The ${OPERATIONS[operation].words.noun} of ${cluster.name} ${rest}. Go on with: ${again}`);
  return EXIT.interrupted;
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended already.
  }
}
