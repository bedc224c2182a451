import type { Cluster } from '../../cluster/types.js';
import { isKubewrightError, KubewrightError, messageOf } from '../../errors.js';
import type { Hosts } from '../../hosts/types.js';
import { onEachHost } from '../each-host.js';
import { takeAwayScript } from './lease.js';

/** What came of taking a cluster's hosts from a run. */
export interface Unlocked {
  /** Hosts that the run held, and holds no more. */
  hosts: string[];
  /** Hosts that could not be asked, and why: the run may hold them for two hours more. */
  unasked: { host: string; why: string }[];
}

/**
 * Takes all hosts of a cluster from a run, for good: should it go on, its steps are refused. For a run whose Temporal server
 * is lost.
 *
 * @param run as the refusal names it
 * @throws KubewrightError KW595 when it holds none of those that answered
 */
export async function takeHostsFrom(cluster: Cluster, run: string, hosts: Hosts): Promise<Unlocked> {
  const result: Unlocked = { hosts: [], unasked: [] };
  await onEachHost(cluster.hosts, async ({ name }) => {
    try {
      const { stdout } = await hosts.get(name).run(takeAwayScript(run));
      if (stdout.trim() === 'released') result.hosts.push(name);
    } catch (error) {
      if (!isKubewrightError(error)) throw error;
      result.unasked.push({ host: name, why: messageOf(error) });
    }
  });
  if (result.hosts.length > 0) return result;
  const unasked = result.unasked.map(({ host, why }) => `${host}: ${why}`);
  throw new KubewrightError(
    'KW595',
    `no host of ${cluster.name} ${unasked.length > 0 ? 'that answers ' : ''}is held by a run ${run}`,
    {
      output: unasked.join('\n'),
      hint: '`kubewright plan cluster.yaml` shows which run is changing a host, if one is.',
    },
  );
}
