import { Command } from 'commander';
import type { ClusterStatus, Engine, RunListing, RunStatus } from '../engine/index.js';
import { isKubewrightError } from '../errors.js';
import type { ClusterState, HealthSummary } from '../terminal/json/index.js';
import type { ComparedFile } from '../terminal/status/summary.js';
import { action, type CommandContext } from './support/action.js';
import { type FileOption, fileOption, oneFile } from './support/file-argument.js';
import { isClusterName } from './support/named-cluster.js';
import { EXIT, type ExitCode, type Shell } from './support/shell.js';

/** `kubewright status [CLUSTER|FILE]`: one cluster on one screen; without a name and with several clusters a list. */
export function statusCommand(shell: Shell): Command {
  return new Command('status')
    .summary('show how a cluster stands, blocked steps first')
    .description(
      'Shows all that Temporal knows of a cluster: what changes it, blocked steps first, its last health check, who has the virtual IP and who ' +
        'leads etcd, its hosts, and what cluster.yaml says otherwise. It asks no host and needs no worker. Without a name, all clusters.',
    )
    .argument('[cluster|file]', 'name of the cluster, or its cluster.yaml')
    .addOption(fileOption())
    .option(
      '--exit-code',
      'exit with 0 when all is well, 1 when it is not, 2 when nobody could be asked, 3 when a step waits for a person, 4 when one runs',
      false,
    )
    .action(action<StatusOptions, [string | undefined]>(shell, status));
}

interface StatusOptions extends FileOption {
  exitCode: boolean;
}

async function status(context: CommandContext<StatusOptions>, given: string | undefined): Promise<ExitCode> {
  const { options, output } = context;
  const named = options.file === undefined ? given : oneFile(options.file, given);
  const isFile = named !== undefined && (options.file !== undefined || !isClusterName(named));
  // A file that is wrong is wrong input, and says nothing of a cluster.
  const file = isFile ? await readNamed(context, named) : undefined;
  try {
    return await statusOf(context, file?.cluster?.name ?? named, file);
  } catch (error) {
    if (!options.exitCode || !isKubewrightError(error)) throw error;
    output.error(error);
    return EXIT.input;
  }
}

async function statusOf(
  context: CommandContext<StatusOptions>,
  named: string | undefined,
  file: ComparedFile | undefined,
): Promise<ExitCode> {
  const { listRuns } = await import('../engine/index.js');
  const { withExistingEngine } = await import('./support/engine.js');
  return await withExistingEngine(context, async (engine) => {
    if (named !== undefined) return await showOne(context, engine, named, file);
    const latest = await listRuns(engine, { latest: true });
    const [only] = latest;
    if (only === undefined || latest.length > 1) return await showAll(context, latest);
    return await showOne(context, engine, only.cluster).catch(async (error: unknown) => {
      // Without the payload key the list is all that can be shown.
      if (!isKubewrightError(error) || error.code !== 'KW512') throw error;
      context.output.note(`${error.message}. ${error.hint ?? ''}`);
      return await showAll(context, latest);
    });
  });
}

async function readNamed(context: CommandContext, path: string): Promise<ComparedFile> {
  const { readCluster } = await import('./support/cluster-file.js');
  const { nameOf } = await import('./support/file-argument.js');
  return { path: nameOf(path), cluster: (await readCluster(context, path)).cluster };
}

async function showOne(
  { output, options }: CommandContext<StatusOptions>,
  engine: Engine,
  cluster: string,
  named?: ComparedFile,
): Promise<ExitCode> {
  const { readClusterStatus } = await import('../engine/index.js');
  const { summarise } = await import('../terminal/status/summary.js');
  const { fileHere } = await import('./support/file-here.js');
  const status = await readClusterStatus(engine, cluster);
  const summary = summarise(status, named ?? (await fileHere(cluster)));
  const code = options.exitCode ? CODES[summary.state] : EXIT.ok;
  if (output.json) {
    tellRun(output, status);
    output.object({ type: 'cluster', ...summary });
    return code;
  }
  const { statusLines } = await import('../terminal/status/lines.js');
  await showRun(output, cluster, status);
  const how = { theme: output.theme, columns: output.columns, now: Date.now() };
  for (const line of statusLines(summary, how)) output.line(line.trimEnd());
  return code;
}

/** README, "Exit codes". */
const CODES: Readonly<Record<ClusterState, ExitCode>> = {
  well: EXIT.ok,
  amiss: EXIT.failed,
  blocked: EXIT.blocked,
  running: EXIT.timeout,
  incomplete: EXIT.incomplete,
};

function tellRun(output: CommandContext['output'], { run, health }: ClusterStatus): void {
  if (run === undefined) return;
  const { addresses: _, ...told } = run;
  const inShort = healthSummary(health);
  output.object({ type: 'install', ...told, ...(inShort === undefined ? {} : { health: inShort }) });
}

function healthSummary({ report, silentSince }: ClusterStatus['health']): HealthSummary | undefined {
  if (report === undefined) return undefined;
  const { verdict, at } = report;
  return { verdict, at, ...(silentSince === undefined ? {} : { silentSince }) };
}

/** The operation: all of one that has not ended well, in a line of one that has. */
async function showRun(
  output: CommandContext['output'],
  cluster: string,
  { run, unread }: ClusterStatus,
): Promise<void> {
  if (run === undefined) {
    const what = unread.operation === undefined ? 'Temporal knows of no operation that has changed it' : '';
    output.line(`${output.theme.paint(cluster, 'strong')}  ${what}`.trimEnd());
    return;
  }
  const { renderFrame } = await import('../terminal/frame.js');
  const size = { columns: output.columns, rows: Number.POSITIVE_INFINITY };
  const frame = renderFrame(run, { theme: output.theme, now: Date.now(), ...size });
  const isOver = run.status === 'completed';
  for (const line of isOver ? frame.slice(0, 1) : frame) output.line(line);
  if (run.failure !== undefined) output.line(`${run.failure.message}\n${run.failure.hint}`);
  if (!isOver) output.line();
  const { runNotes } = await import('../terminal/run-notes.js');
  for (const note of runNotes(run)) output.note(`\n${note}`);
}

/** Of an operation in a list; for scripts: `kubewright watch --no-wait --timeout 45m` waits, this only looks. */
function codeOf(status: RunStatus, blocked: boolean): ExitCode {
  if (status === 'completed') return EXIT.ok;
  if (status !== 'running') return EXIT.failed;
  return blocked ? EXIT.blocked : EXIT.timeout;
}

/** Of several installs the one that needs a person most: blocked, ended otherwise than well, still running. */
const WORST_FIRST: ExitCode[] = [EXIT.blocked, EXIT.failed, EXIT.timeout];

async function showAll({ output, options }: CommandContext<StatusOptions>, latest: RunListing[]): Promise<ExitCode> {
  const codes = latest.map(({ status, blocked }) => codeOf(status, blocked.length > 0));
  const code = options.exitCode ? (WORST_FIRST.find((each) => codes.includes(each)) ?? EXIT.ok) : EXIT.ok;
  if (output.json) {
    for (const listing of latest) output.object({ type: 'listing', ...listing });
    return code;
  }
  const { listingLines } = await import('../terminal/listing.js');
  for (const line of listingLines(latest, output.theme, output.columns)) output.line(line);
  return code;
}
