import { Command } from 'commander';
import { BUILD } from '../build.js';
import type { Engine, RunListing, RunStatus } from '../engine/index.js';
import { isKubewrightError } from '../errors.js';
import type { HealthSummary } from '../terminal/json/index.js';
import { action, type CommandContext } from './support/action.js';
import { EXIT, type ExitCode, type Shell } from './support/shell.js';

/** `kubewright status [CLUSTER]`: where an install stands, blocked steps first; without a name all installs. */
export function statusCommand(shell: Shell): Command {
  return new Command('status')
    .summary('show where installs stand, blocked steps first')
    .description('Shows where the install of a cluster stands, blocked steps first; without a name, all installs.')
    .argument('[cluster]', 'name of the cluster')
    .option(
      '--exit-code',
      'exit with 0 when installed, 3 when a step waits for a person, 4 when it runs, else 1',
      false,
    )
    .action(action<StatusOptions, [string | undefined]>(shell, status));
}

interface StatusOptions {
  exitCode: boolean;
}

async function status(context: CommandContext<StatusOptions>, named: string | undefined): Promise<ExitCode> {
  const { listRuns } = await import('../engine/index.js');
  const { openExistingEngine } = await import('./support/engine.js');
  const engine = await openExistingEngine(context);
  try {
    if (named !== undefined) return await showOne(context, engine, named);
    const latest = await listRuns(engine, { latest: true });
    const [only] = latest;
    if (only === undefined || latest.length > 1) return await showAll(context, latest);
    return await showOne(context, engine, only.cluster).catch(async (error: unknown) => {
      // Without the payload key the list is all that can be shown.
      if (!isKubewrightError(error) || error.code !== 'KW512') throw error;
      context.output.note(`${error.message}. ${error.hint ?? ''}`);
      return await showAll(context, latest);
    });
  } finally {
    await engine.close();
  }
}

async function showOne(
  { output, options }: CommandContext<StatusOptions>,
  engine: Engine,
  cluster: string,
): Promise<ExitCode> {
  const { describeRun } = await import('../engine/index.js');
  const { renderFrame } = await import('../terminal/frame.js');
  const { recordedSentence } = await import('../terminal/recorded.js');
  const { taskFailureSentence } = await import('./support/hindrance.js');
  const snapshot = await describeRun(engine, cluster);
  const isIncomplete = (snapshot.result?.unreachable ?? []).length > 0;
  const asked = isIncomplete ? EXIT.incomplete : codeOf(snapshot.status, snapshot.progress.blocked.length > 0);
  const code = options.exitCode ? asked : EXIT.ok;
  if (output.json) {
    const { addresses: _, ...told } = snapshot;
    const health = await healthSummary(engine, cluster);
    output.object({ type: 'install', ...told, ...(health === undefined ? {} : { health }) });
    return code;
  }
  const size = { columns: output.columns, rows: Number.POSITIVE_INFINITY };
  for (const line of renderFrame(snapshot, { theme: output.theme, now: Date.now(), ...size })) output.line(line);
  if (snapshot.failure !== undefined) output.line(`${snapshot.failure.message}\n${snapshot.failure.hint}`);
  const recorded = recordedSentence(snapshot.progress.steps);
  if (recorded !== undefined) output.line(`\n${recorded}`);
  if (snapshot.build !== undefined && snapshot.build !== BUILD) {
    output.note(`\nPlanned by kubewright ${snapshot.build}; this is ${BUILD}.`);
  }
  if (snapshot.taskFailure !== undefined) {
    output.note(`\n${taskFailureSentence(snapshot.taskFailure)}`);
  } else if (snapshot.status === 'running' && snapshot.source === 'history') {
    const whose = snapshot.pinnedTo === undefined ? '' : ` of kubewright ${snapshot.pinnedTo}`;
    output.note(
      `\nNo worker${whose} answers in time: none runs, or it has too much to do. \`kubewright install cluster.yaml\` brings one where none runs.`,
    );
  }
  await noteHealth(output, engine, cluster);
  return code;
}

/** In a line, how the cluster was when it was last looked at; nothing where nobody has. It stands in no command's way. */
async function noteHealth(output: CommandContext['output'], engine: Engine, cluster: string): Promise<void> {
  const { readHealthNews } = await import('../engine/index.js');
  const { newsLines, verdictLine } = await import('../terminal/health.js');
  const news = await readHealthNews(engine, cluster).catch(() => undefined);
  if (news === undefined) return;
  const lines = [
    ...(news.report === undefined ? [] : [verdictLine(news.report, Date.now())]),
    ...newsLines(news, 'cluster.yaml'),
  ];
  if (lines.length > 0) output.note(`\n${lines.join('\n')}`);
}

async function healthSummary(engine: Engine, cluster: string): Promise<HealthSummary | undefined> {
  const { readHealthNews } = await import('../engine/index.js');
  const { report, silentSince } = (await readHealthNews(engine, cluster).catch(() => undefined)) ?? {};
  if (report === undefined) return undefined;
  const { verdict, at } = report;
  return { verdict, at, ...(silentSince === undefined ? {} : { silentSince }) };
}

/** For scripts: `kubewright watch --no-wait --timeout 45m` waits, this only looks. README, "Exit codes". */
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
