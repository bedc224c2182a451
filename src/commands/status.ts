import { Command } from 'commander';
import type { Engine, InstallListing } from '../engine/index.js';
import { action, type CommandContext } from './support/action.js';
import { EXIT, type ExitCode, type Shell } from './support/shell.js';

/** `kubewright status [CLUSTER]`: where an install stands, blocked steps first; without a name all installs. */
export function statusCommand(shell: Shell): Command {
  return new Command('status')
    .summary('show where installs stand, blocked steps first')
    .description('Shows where the install of a cluster stands, blocked steps first; without a name, all installs.')
    .argument('[cluster]', 'name of the cluster')
    .action(action<unknown, [string | undefined]>(shell, status));
}

async function status(context: CommandContext, named: string | undefined): Promise<ExitCode> {
  const { listInstalls } = await import('../engine/index.js');
  const { openExistingEngine } = await import('./support/engine.js');
  const engine = await openExistingEngine(context);
  try {
    if (named !== undefined) return await showOne(context, engine, named);
    const latest = latestOfEach(await listInstalls(engine));
    const [only] = latest;
    if (only !== undefined && latest.length === 1) return await showOne(context, engine, only.cluster);
    return await showAll(context, latest);
  } finally {
    await engine.close();
  }
}

async function showOne({ output }: CommandContext, engine: Engine, cluster: string): Promise<ExitCode> {
  const { describeInstall } = await import('../engine/index.js');
  const { renderFrame } = await import('../terminal/frame.js');
  const snapshot = await describeInstall(engine, cluster);
  if (output.json) {
    output.object({ type: 'install', ...snapshot });
    return EXIT.ok;
  }
  const size = { columns: output.columns, rows: Number.POSITIVE_INFINITY };
  for (const line of renderFrame(snapshot, { theme: output.theme, now: Date.now(), ...size })) output.line(line);
  if (snapshot.failure !== undefined) output.line(`${snapshot.failure.message}\n${snapshot.failure.hint}`);
  if (snapshot.status === 'running' && snapshot.source === 'history') {
    output.note('\nNo worker answers: the install waits until one runs. `kubewright install cluster.yaml` brings one.');
  }
  return EXIT.ok;
}

async function showAll({ output }: CommandContext, latest: InstallListing[]): Promise<ExitCode> {
  if (output.json) {
    for (const listing of latest) output.object({ type: 'listing', ...listing });
    return EXIT.ok;
  }
  const { listingLines } = await import('../terminal/listing.js');
  for (const line of listingLines(latest, output.theme, output.columns)) output.line(line);
  return EXIT.ok;
}

/** Listings come latest first, and a cluster may have been installed to many times. */
function latestOfEach(listings: InstallListing[]): InstallListing[] {
  const seen = new Set<string>();
  return listings.filter(({ cluster }) => !seen.has(cluster) && seen.add(cluster));
}
