import type { LoadedCluster } from '../../cluster/load.js';
import type { Cluster } from '../../cluster/types.js';
import type { CommandContext } from './action.js';
import { nameOf, STDIN, sayWaiting } from './file-argument.js';

/**
 * Reads a cluster.yaml, from standard input for `-`, and tells its warnings. The cluster knows where its keys stand, for
 * messages that come later. Relative paths in what comes from standard input start in the current directory.
 *
 * @throws ClusterFileError KW101 with every problem of the file; KubewrightError KW560 for one that no Temporal server takes
 */
export async function readCluster(
  { output, shell }: Pick<CommandContext, 'output' | 'shell'>,
  file: string,
): Promise<LoadedCluster> {
  const { loadCluster, loadClusterFrom } = await import('../../cluster/load.js');
  const { formatProblem } = await import('../../cluster/problem.js');
  const today = new Date().toISOString().slice(0, 10);
  const place = { path: nameOf(file), directory: process.cwd(), today };
  if (file === STDIN) sayWaiting({ output, shell });
  const loaded = await (file === STDIN ? loadClusterFrom(shell.stdin, place) : loadCluster(file, { today }));
  for (const warning of loaded.warnings) {
    if (output.json) output.object({ ...warning, type: 'warning', severity: 'warning' });
    else output.note(formatProblem(warning));
  }
  const cluster = { ...loaded.cluster, places: loaded.places };
  if (JSON.stringify(cluster).length > WORTH_MEASURING) await refuseLarge(cluster);
  return { ...loaded, cluster };
}

/** Characters below which a cluster is never too large: its plan is a few times as long, and both shrink on the way. */
const WORTH_MEASURING = 256 * 1024;

async function refuseLarge(cluster: Cluster): Promise<void> {
  const { refuseHuge } = await import('../../engine/runs/too-large.js');
  const { prepareInstall } = await import('../../prepare-run.js');
  await refuseHuge(prepareInstall(cluster));
}
