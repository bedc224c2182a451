import type { LoadedCluster } from '../../cluster/load.js';
import type { CommandContext } from './action.js';
import { nameOf, STDIN } from './file-argument.js';

/**
 * Reads a cluster.yaml, from standard input for `-`, and tells its warnings. The cluster knows where its keys stand, for
 * messages that come later. Relative paths in what comes from standard input start in the current directory.
 *
 * @throws ClusterFileError KW101 with every problem of the file
 */
export async function readCluster(
  { output, shell }: Pick<CommandContext, 'output' | 'shell'>,
  file: string,
): Promise<LoadedCluster> {
  const { loadCluster, loadClusterFrom } = await import('../../cluster/load.js');
  const { formatProblem } = await import('../../cluster/problem.js');
  const place = { path: nameOf(file), directory: process.cwd() };
  const loaded = await (file === STDIN ? loadClusterFrom(shell.stdin, place) : loadCluster(file));
  for (const warning of loaded.warnings) {
    if (output.json) output.object({ ...warning, type: 'warning', severity: 'warning' });
    else output.note(formatProblem(warning));
  }
  return { ...loaded, cluster: { ...loaded.cluster, places: loaded.places } };
}
