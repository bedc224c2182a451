import { Command, Option } from 'commander';
import type { Cluster } from '../cluster/types.js';
import type { Engine, HealthNews, HealthSchedule, WorkerProcess } from '../engine/index.js';
import type { HealthReport } from '../workflows/reports.js';
import { action, type CommandContext } from './support/action.js';
import { parseDuration } from './support/duration.js';
import { FILE_ARGUMENT } from './support/file-argument.js';
import { addGlobalOptions } from './support/global-options.js';
import { EXIT, type ExitCode, type Shell } from './support/shell.js';

interface HealthOptions {
  now: boolean;
  quick: boolean;
  worker?: boolean;
}

interface ScheduleOptions {
  /** Milliseconds. */
  every: number;
  /** Milliseconds. */
  quickEvery?: number;
  worker?: boolean;
}

/** `kubewright health [FILE]`: what is wrong with a cluster, now or again and again. */
export function healthCommand(shell: Shell): Command {
  const command = new Command('health')
    .summary('check a cluster, now or on a schedule')
    .description(
      'Shows the latest health check of a cluster; with --now it checks first. A check looks at the API servers, the virtual ' +
        'IP, etcd, the nodes, and DNS from a pod on each node. It changes nothing. Exit code 1 when something is wrong.',
    )
    .argument(...FILE_ARGUMENT)
    .option('--now', 'check now, and wait for the report', false)
    .addOption(
      new Option('--quick', 'check now all that needs no pod; what the last deep check found there stands')
        .default(false)
        .implies({ now: true }),
    )
    .option('--worker', 'start a worker here for it (default with the embedded server)')
    .option('--no-worker', 'start no worker: one runs elsewhere for this Temporal server')
    .action(action<HealthOptions, [string]>(shell, health));
  const add = (child: Command): Command => addGlobalOptions(child);
  command.addCommand(
    add(
      new Command('history')
        .description('draw the last day: a line for each part of the cluster, a cell for each half hour')
        .argument(...FILE_ARGUMENT)
        .action(action<unknown, [string]>(shell, history)),
    ),
  );
  command.addCommand(
    add(
      new Command('schedule')
        .description('check a cluster again and again, as long as the Temporal server and a worker run')
        .argument(...FILE_ARGUMENT)
        .requiredOption('--every <duration>', 'time between two checks, such as 5m', parseDuration)
        .option('--quick-every <duration>', 'time between two quick checks in between, such as 1m', parseDuration)
        .option('--worker', 'leave a worker running here for it (default with the embedded server)')
        .option('--no-worker', 'start no worker: one runs elsewhere for this Temporal server')
        .action(action<ScheduleOptions, [string]>(shell, schedule)),
    ),
  );
  command.addCommand(
    add(new Command('list').description('list the scheduled checks').action(action<unknown, []>(shell, list))),
  );
  for (const change of ['pause', 'resume', 'remove'] as const) {
    command.addCommand(
      add(
        new Command(change)
          .description(`${change} the scheduled checks of a cluster`)
          .argument('<cluster>', 'name of the cluster')
          .action(action<unknown, [string]>(shell, (context, name) => changeSchedule(context, name, change))),
      ),
    );
  }
  return command;
}

async function health(context: CommandContext<HealthOptions>, file: string): Promise<ExitCode> {
  const { readCluster } = await import('./support/cluster-file.js');
  const { cluster } = await readCluster(context, file);
  const { openEngine, openExistingEngine } = await import('./support/engine.js');
  const { readHealthNews } = await import('../engine/index.js');
  const engine = await (context.options.now ? openEngine(context) : openExistingEngine(context));
  try {
    const news = context.options.now
      ? { report: await checkHere(context, engine, cluster) }
      : await readHealthNews(engine, cluster.name);
    return await tellNews(context, news, cluster.name, file);
  } finally {
    await engine.close();
  }
}

/** Checks, with a worker of this command's own where there is nobody else. */
async function checkHere(
  context: CommandContext<HealthOptions>,
  engine: Engine,
  cluster: Cluster,
): Promise<HealthReport> {
  const { checkNow } = await import('../engine/index.js');
  const { bringWorker, chooseWorker, onQueue } = await import('./support/workers.js');
  const { queue, bring } = await chooseWorker(context, engine, cluster.name, context.options.worker);
  const there = onQueue(engine, queue);
  let worker: WorkerProcess | undefined;
  try {
    if (bring) worker = await bringWorker(context, there, cluster);
    return await checkNow(there, cluster, context.options.quick ? 'quick' : 'deep');
  } finally {
    await worker?.leave();
  }
}

async function tellNews(
  { output }: CommandContext,
  news: HealthNews,
  cluster: string,
  file: string,
): Promise<ExitCode> {
  const { healthLines, newsLines } = await import('../terminal/health.js');
  const { report, heldBy, silentSince, silentDepth, unread } = news;
  if (report === undefined) output.note(`${cluster} was not checked yet: \`kubewright health --now\` does it.`);
  else if (output.json) {
    const depth = silentDepth === undefined ? {} : { silentDepth };
    const silence = silentSince === undefined ? {} : { silentSince, ...depth };
    const blind = unread?.schedule === undefined ? {} : { scheduleUnread: unread.schedule };
    const told = { ...report, ...(heldBy && { heldBy }), ...silence, ...blind };
    output.object({ type: 'health', healthy: isHealthy(news), ...told });
  } else for (const line of healthLines(report, output.theme, Date.now())) output.line(line);
  for (const line of newsLines(news, file)) output.note(line);
  return isHealthy(news) ? EXIT.ok : EXIT.failed;
}

/** An operation that holds a cluster for longer than this waits for a person, and nobody looks meanwhile. */
const HELD_LIMIT_MS = 60 * 60_000;

/** Whether the cluster is known to be well: a report that nothing follows any more says nothing of today. */
function isHealthy({ report, heldBy, silentSince }: HealthNews): boolean {
  const isHeld = heldBy !== undefined && Date.now() - heldBy.since > HELD_LIMIT_MS;
  return report?.verdict === 'ok' && silentSince === undefined && !isHeld;
}

async function history(context: CommandContext, file: string): Promise<ExitCode> {
  const { readCluster } = await import('./support/cluster-file.js');
  const { cluster } = await readCluster(context, file);
  const { withExistingEngine } = await import('./support/engine.js');
  const { readHealthHistory } = await import('../engine/index.js');
  const { output } = context;
  return await withExistingEngine(context, async (engine) => {
    const day = await readHealthHistory(engine, cluster.name);
    if (output.json) output.object({ type: 'health-history', ...day });
    else {
      const { historyLines } = await import('../terminal/health-history.js');
      for (const line of historyLines(day, output.theme)) output.line(line);
    }
    return EXIT.ok;
  });
}

async function schedule(context: CommandContext<ScheduleOptions>, file: string): Promise<ExitCode> {
  const { readCluster } = await import('./support/cluster-file.js');
  const { cluster } = await readCluster(context, file);
  const { openEngine } = await import('./support/engine.js');
  const { scheduleHealth } = await import('../engine/index.js');
  const { bringWorker, chooseLastingWorker, onQueue } = await import('./support/workers.js');
  const { options, output } = context;
  const engine = await openEngine(context);
  try {
    const { queue, bring } = await chooseLastingWorker(context, engine, cluster, options.worker);
    const made = await scheduleHealth(onQueue(engine, queue), cluster, options.every, options.quickEvery);
    // Both outlive this command: a schedule without them is checked by nobody.
    await engine.server?.detach();
    if (bring) await (await bringWorker(context, onQueue(engine, queue), cluster)).detach();
    if (engine.server !== undefined && bring) {
      const { BACKGROUND_NOTE } = await import('./support/background-note.js');
      output.note(BACKGROUND_NOTE);
    }
    await tellSchedules(context, [made]);
    return EXIT.ok;
  } finally {
    await engine.close();
  }
}

async function list(context: CommandContext): Promise<ExitCode> {
  const { withExistingEngine } = await import('./support/engine.js');
  const { listHealthSchedules } = await import('../engine/index.js');
  return await withExistingEngine(context, async (engine) => {
    const schedules = await listHealthSchedules(engine);
    if (schedules.length === 0) context.output.note('No health checks are scheduled.');
    await tellSchedules(context, schedules);
    return EXIT.ok;
  });
}

async function changeSchedule(
  context: CommandContext,
  cluster: string,
  change: 'pause' | 'resume' | 'remove',
): Promise<ExitCode> {
  const { withExistingEngine } = await import('./support/engine.js');
  const { changeHealthSchedule, listHealthSchedules } = await import('../engine/index.js');
  return await withExistingEngine(context, async (engine) => {
    await changeHealthSchedule(engine, cluster, change);
    if (change === 'remove') context.output.note(`The health checks of ${cluster} are removed; its reports stay.`);
    const left = await listHealthSchedules(engine);
    await tellSchedules(
      context,
      left.filter((each) => each.cluster === cluster),
    );
    return EXIT.ok;
  });
}

async function tellSchedules({ output }: CommandContext, schedules: HealthSchedule[]): Promise<void> {
  const { scheduleLine } = await import('../terminal/health.js');
  for (const each of schedules) {
    if (output.json) output.object({ type: 'schedule', ...each });
    else output.line(scheduleLine(each));
  }
}
