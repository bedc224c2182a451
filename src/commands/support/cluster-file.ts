import type { LoadedCluster } from '../../cluster/load.js';
import type { Output } from '../../terminal/output.js';

/**
 * Reads a cluster.yaml and tells its warnings. The cluster knows where its keys stand, for messages that come later.
 *
 * @throws ClusterFileError KW101 with every problem of the file
 */
export async function readCluster(output: Output, file: string): Promise<LoadedCluster> {
  const { loadCluster } = await import('../../cluster/load.js');
  const { formatProblem } = await import('../../cluster/problem.js');
  const loaded = await loadCluster(file);
  for (const warning of loaded.warnings) {
    if (output.json) output.object({ ...warning, type: 'warning', severity: 'warning' });
    else output.note(formatProblem(warning));
  }
  return { ...loaded, cluster: { ...loaded.cluster, places: loaded.places } };
}
