import { Command } from 'commander';
import type { Cluster } from '../cluster/types.js';
import { quote } from '../hosts/shell.js';
import type { DrillOptions } from '../plan/drill.js';
import { type DrillReport, SCENARIOS } from '../plan/drill-report.js';
import { drillScheduleCommands } from './drill-schedules.js';
import { action, type CommandContext } from './support/action.js';
import { addUnattendedOptions, type CarryOptions } from './support/carry-options.js';
import { FILE_ARGUMENT, type FileOption } from './support/file-argument.js';
import { addGlobalOptions } from './support/global-options.js';
import { isClusterName, lastCluster } from './support/named-cluster.js';
import { EXIT, type ExitCode, type Shell } from './support/shell.js';
import type { Undertaking } from './support/undertaking.js';

interface DrillCommandOptions extends CarryOptions, FileOption {
  only?: string;
  powerOff?: string;
  powerOn?: string;
  movePods: boolean;
  yes: boolean;
  /** Path of the picture. */
  report?: string;
}

/** `kubewright drill CLUSTER|FILE`: breaks a cluster on purpose, measures what comes of it, and puts it back. */
export function drillCommand(shell: Shell): Command {
  const command = new Command('drill')
    .summary('break parts of a cluster on purpose, and measure how long it is away')
    .description(
      'Proves that a cluster survives the loss of a part: stops one after the other, asks the API ten times a second meanwhile, and puts ' +
        'everything back, also when it is aborted or its worker dies. It asks first, and refuses a cluster that is not healthy. ' +
        'Exit code 1 when something went wrong.',
    )
    .argument(
      '[cluster|file]',
      'name of a cluster that was installed with this Temporal server, or its cluster.yaml',
      FILE_ARGUMENT[2],
    )
    .option(
      '--only <scenarios>',
      `which, with commas between: ${SCENARIOS.join(', ')} (default: all that are possible)`,
    )
    .option(
      '--power-off <command>',
      'command that takes the power of {host} or {address}; run by the worker of this command, without a shell',
    )
    .option('--power-on <command>', 'command that gives it back')
    .option('--move-pods', 'keep a node away until its pods were made anew elsewhere (some six minutes each)', false)
    .option('--report <file>', 'write a time line of it to this SVG file')
    .option('--yes', 'do not ask for the name of the cluster', false);
  addUnattendedOptions(command, 'drill').action(action<DrillCommandOptions, [string]>(shell, drill));
  command.addCommand(
    addGlobalOptions(
      new Command('history')
        .description('show the latest drills of a cluster, the last one in full')
        .argument('[cluster|file]', 'name of the cluster, or its cluster.yaml', FILE_ARGUMENT[2])
        .option('--report <file>', 'write a time line of the last one to this SVG file')
        .action(action<{ report?: string } & FileOption, [string]>(shell, history)),
    ),
  );
  for (const child of drillScheduleCommands(shell)) command.addCommand(child);
  return command;
}

const OPERATION = 'drill';

async function drill(context: CommandContext<DrillCommandOptions>, given: string): Promise<ExitCode> {
  const { readDrillOptions } = await import('./support/drill-options.js');
  const { undertake } = await import('./support/undertaking.js');
  const asked = readDrillOptions(context.options, context.shell.env);
  const again = againCommand(given, context.options);
  const prepare = (cluster: Cluster): Promise<Undertaking> => undertaking(context, cluster, asked, again);
  if (context.options.file === undefined && isClusterName(given)) {
    return undertake(context, { operation: OPERATION, name: given }, async (engine) =>
      prepare(await lastCluster(engine, given)),
    );
  }
  const { readCluster } = await import('./support/cluster-file.js');
  const { cluster } = await readCluster(context, given);
  // What is impossible, and a wrong name, is told before any server is started.
  const ready = await prepare(cluster);
  return undertake(context, { operation: OPERATION, name: cluster.name }, async () => ready);
}

async function undertaking(
  context: CommandContext<DrillCommandOptions>,
  cluster: Cluster,
  asked: DrillOptions,
  again: string,
): Promise<Undertaking> {
  const { POWER_VARIABLES } = await import('../activities/drill/words.js');
  const { planDrill, possibleScenarios } = await import('../plan/drill.js');
  const { prepareRun } = await import('../prepare-run.js');
  const { confirmDrill } = await import('./support/drill-options.js');
  const chosen = possibleScenarios(cluster, asked);
  await confirmDrill(context, cluster.name, chosen);
  const run = prepareRun(OPERATION, cluster, planDrill(cluster, asked));
  return {
    operation: OPERATION,
    cluster,
    run,
    again,
    // Where others bring the worker, they have to be in its environment: the preflight says so.
    variables: chosen.chosen.includes('power') ? Object.values(POWER_VARIABLES) : [],
    abortsOnInterrupt: true,
    told: ({ result }) => drawn(context, result?.drill),
  };
}

/** @throws KubewrightError KW118 where the file cannot be written */
async function drawn(
  { output, options }: CommandContext<{ report?: string }>,
  report: DrillReport | undefined,
): Promise<void> {
  if (options.report === undefined || report === undefined) return;
  const { writeTimeline } = await import('./support/drill-options.js');
  await writeTimeline(options.report, report);
  output.note(`Its time line is in ${options.report}.`);
}

/** The command that goes on with it: with other scenarios it would be another drill. */
function againCommand(given: string, { only, powerOff, powerOn, movePods }: DrillCommandOptions): string {
  const options = Object.entries({ '--only': only, '--power-off': powerOff, '--power-on': powerOn });
  const words = options.flatMap(([name, value]) => (value === undefined ? [] : [name, quote(value)]));
  return ['kubewright', OPERATION, given, ...words, ...(movePods ? ['--move-pods'] : []), '--yes'].join(' ');
}

async function history(context: CommandContext<{ report?: string } & FileOption>, given: string): Promise<ExitCode> {
  const { output } = context;
  const name =
    context.options.file === undefined && isClusterName(given)
      ? given
      : (await (await import('./support/cluster-file.js')).readCluster(context, given)).cluster.name;
  const { withExistingEngine } = await import('./support/engine.js');
  const { listDrills } = await import('../engine/index.js');
  return await withExistingEngine(context, async (engine) => {
    const drills = await listDrills(engine, name);
    const [latest, ...earlier] = drills;
    if (latest === undefined) {
      output.note(`${name} was not drilled yet: \`kubewright drill\` does it.`);
      return EXIT.ok;
    }
    const { tellDrill } = await import('./support/ending.js');
    tellDrill(output, latest);
    await drawn(context, latest);
    if (output.json) for (const each of earlier) output.object({ type: 'drill', ...each });
    else {
      const { drillLine } = await import('../terminal/drill.js');
      for (const each of earlier) output.line(drillLine(each, Date.now()));
    }
    return EXIT.ok;
  });
}
