import { Command } from 'commander';
import type { Cluster } from '../cluster/types.js';
import type { DrillRhythm, DrillSchedule, Engine } from '../engine/index.js';
import type { DrillOptions } from '../plan/drill.js';
import { SCENARIOS } from '../plan/drill-report.js';
import { action, type CommandContext } from './support/action.js';
import { parseInterval } from './support/duration.js';
import { FILE_ARGUMENT, type FileOption } from './support/file-argument.js';
import { addGlobalOptions } from './support/global-options.js';
import { isClusterName, lastCluster } from './support/named-cluster.js';
import { EXIT, type ExitCode, type Shell } from './support/shell.js';
import { parseTimeOfDay } from './support/time-of-day.js';

interface ScheduleOptions extends FileOption {
  /** Milliseconds. */
  every: number;
  /** Milliseconds after midnight, UTC. */
  at?: number;
  only?: string;
  powerOff?: string;
  powerOn?: string;
  movePods: boolean;
  yes: boolean;
  worker?: boolean;
}

/** `kubewright drill schedule|list|pause|resume|remove`: the same words as those of scheduled health checks. */
export function drillScheduleCommands(shell: Shell): Command[] {
  const changes = (['pause', 'resume', 'remove'] as const).map((change) =>
    new Command(change)
      .description(`${change} the scheduled drills of a cluster`)
      .argument('<cluster>', 'name of the cluster')
      .action(action<unknown, [string]>(shell, (context, name) => changeSchedule(context, name, change))),
  );
  const list = new Command('list').description('list the scheduled drills').action(action<unknown, []>(shell, listAll));
  return [scheduleCommand(shell), list, ...changes].map((command) => addGlobalOptions(command));
}

function scheduleCommand(shell: Shell): Command {
  return new Command('schedule')
    .description(
      'drill a cluster again and again, as long as the Temporal server and a worker run. It asks first. A drill that is due while something ' +
        'else changes the cluster is left out, and one of a cluster that is not healthy ends with the reason, and breaks nothing',
    )
    .argument('[cluster|file]', 'name of the cluster, or its cluster.yaml', FILE_ARGUMENT[2])
    .requiredOption('--every <duration>', 'time between two drills, at least 1d, such as 30d', parseInterval)
    .option('--at <time>', 'time of the day, UTC, such as 09:30 (default: the present one)', parseTimeOfDay)
    .option(
      '--only <scenarios>',
      `which, with commas between: ${SCENARIOS.join(', ')} (default: all that are possible)`,
    )
    .option(
      '--power-off <command>',
      'command that takes the power of {host} or {address}; for the worker that is left here',
    )
    .option('--power-on <command>', 'command that gives it back')
    .option('--move-pods', 'keep a node away until its pods were made anew elsewhere (some six minutes each)', false)
    .option('--yes', 'do not ask for the name of the cluster', false)
    .option('--worker', 'leave a worker running here for it (default with the embedded server)')
    .option('--no-worker', 'start no worker: one runs elsewhere for this Temporal server')
    .action(action<ScheduleOptions, [string]>(shell, schedule));
}

async function schedule(context: CommandContext<ScheduleOptions>, given: string): Promise<ExitCode> {
  const { readDrillOptions } = await import('./support/drill-options.js');
  const { requireDrillInterval } = await import('../engine/index.js');
  const { firstDue } = await import('./support/time-of-day.js');
  const { options, shell } = context;
  const asked = readDrillOptions(options, shell.env);
  requireDrillInterval(options.every);
  const rhythm = { everyMs: options.every, firstAt: firstDue(options.every, options.at, Date.now()) };
  const isNamed = options.file === undefined && isClusterName(given);
  // What is impossible, and a wrong name, is told before any server is started.
  const ready = isNamed ? undefined : await confirmed(context, await fileOf(context, given), asked, rhythm);
  const { openEngine } = await import('./support/engine.js');
  const engine = await openEngine(context);
  try {
    const cluster = ready ?? (await confirmed(context, await lastCluster(engine, given), asked, rhythm));
    return await write(context, { engine, cluster, asked, rhythm });
  } finally {
    await engine.close();
  }
}

async function fileOf(context: CommandContext, given: string): Promise<Cluster> {
  const { readCluster } = await import('./support/cluster-file.js');
  return (await readCluster(context, given)).cluster;
}

/** Tells what will be broken and when, and has it confirmed. @returns the cluster */
async function confirmed(
  context: CommandContext<ScheduleOptions>,
  cluster: Cluster,
  asked: DrillOptions,
  rhythm: DrillRhythm,
): Promise<Cluster> {
  const { possibleScenarios } = await import('../plan/drill.js');
  const { confirmDrill } = await import('./support/drill-options.js');
  const { dueLines } = await import('../terminal/drill-schedules.js');
  await confirmDrill(context, cluster.name, possibleScenarios(cluster, asked), dueLines(rhythm));
  return cluster;
}

interface Wanted {
  engine: Engine;
  cluster: Cluster;
  asked: DrillOptions;
  rhythm: DrillRhythm;
}

async function write(
  context: CommandContext<ScheduleOptions>,
  { engine, cluster, asked, rhythm }: Wanted,
): Promise<ExitCode> {
  const { scheduleDrills } = await import('../engine/index.js');
  const { POWER_VARIABLES } = await import('../activities/drill/words.js');
  const { bringWorker, chooseLastingWorker, onQueue } = await import('./support/workers.js');
  const { BACKGROUND_NOTE } = await import('./support/background-note.js');
  const { output, options } = context;
  const { queue, bring } = await chooseLastingWorker(context, engine, cluster, options.worker);
  const there = onQueue(engine, queue);
  const made = await scheduleDrills(there, cluster, rhythm, asked);
  const variables = asked.power === true ? Object.values(POWER_VARIABLES) : [];
  // Both outlive this command: without them nothing is drilled.
  await engine.server?.detach();
  if (bring) await (await bringWorker(context, there, cluster, variables)).detach();
  else if (variables.length > 0) output.note(`Its worker needs ${variables.join(' and ')} in its environment.`);
  if (engine.server !== undefined && bring) output.note(BACKGROUND_NOTE);
  await tell(context, [made]);
  return EXIT.ok;
}

async function listAll(context: CommandContext): Promise<ExitCode> {
  const { withExistingEngine } = await import('./support/engine.js');
  const { listDrillSchedules } = await import('../engine/index.js');
  return await withExistingEngine(context, async (engine) => {
    const schedules = await listDrillSchedules(engine);
    if (schedules.length === 0) context.output.note('No drills are scheduled.');
    await tell(context, schedules);
    return EXIT.ok;
  });
}

async function changeSchedule(
  context: CommandContext,
  cluster: string,
  change: 'pause' | 'resume' | 'remove',
): Promise<ExitCode> {
  const { withExistingEngine } = await import('./support/engine.js');
  const { changeDrillSchedule, findDrillSchedule } = await import('../engine/index.js');
  return await withExistingEngine(context, async (engine) => {
    await changeDrillSchedule(engine, cluster, change);
    if (change === 'remove') context.output.note(`The drills of ${cluster} are removed; their reports stay.`);
    const left = await findDrillSchedule(engine, cluster);
    await tell(context, left === undefined ? [] : [left]);
    return EXIT.ok;
  });
}

async function tell({ output }: CommandContext, schedules: DrillSchedule[]): Promise<void> {
  const { drillScheduleLine } = await import('../terminal/drill-schedules.js');
  for (const each of schedules) {
    if (output.json) output.object({ type: 'drill-schedule', ...each });
    else output.line(drillScheduleLine(each));
  }
}
