import { KubewrightError } from '../../../src/errors.js';
import type { LabPlan, LabUpOptions } from '../types.js';
import { planFromCluster } from './from-cluster.js';
import { planHosts } from './hosts.js';
import { chooseSubnet } from './subnet.js';

/**
 * Checks the options as far as they can be checked without looking at the machine.
 *
 * @returns what makes the plan, given the networks that the machine uses
 * @throws KW603 for hosts, kinds or guests that make no sense, KW101 for a cluster.yaml with errors, KW614 for one that a lab
 * cannot imitate
 */
export async function planLab(options: LabUpOptions): Promise<(networksInUse: string[]) => LabPlan> {
  if (options.clusterFile === undefined) {
    planHosts(options, chooseSubnet([]));
    return (inUse) => planHosts(options, chooseSubnet(inUse));
  }
  if (options.hosts !== undefined || options.topology !== undefined || options.kubernetes !== undefined) {
    throw new KubewrightError(
      'KW603',
      'A cluster.yaml says how many hosts of what kind there are, and which version.',
      {
        hint: 'Leave out --hosts, --topology and --kubernetes, or leave out --cluster.',
      },
    );
  }
  const { loadCluster } = await import('../../../src/cluster/load.js');
  const { cluster } = await loadCluster(options.clusterFile);
  planFromCluster(cluster, options, []);
  return (inUse) => planFromCluster(cluster, options, inUse);
}
