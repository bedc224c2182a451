import type { Hosts } from '../hosts/types.js';
import { durablePrefix } from './context.js';
import { onEachHost } from './each-host.js';
import type { StepInput } from './types.js';

/**
 * Ends what a step left running. A step of one host is asked for there; a `cluster/…` step runs its commands on whichever
 * host it chose, so every host of the cluster is asked. One that does not answer is passed over then: it
 * may be the very reason for the abort, and most steps of the cluster only look.
 *
 * @returns how many units were ended
 * @throws KubewrightError KW2xx when the step's own host, or every host of the cluster, cannot be asked
 */
export async function stopCommands(input: StepInput, hosts: Hosts): Promise<number> {
  const prefix = durablePrefix(input);
  if (input.step.host !== null) return hosts.get(input.step.host).stopDurables(prefix);
  const answers = await onEachHost(input.cluster.hosts, ({ name }) => settled(hosts.get(name).stopDurables(prefix)));
  const stopped = answers.filter((answer) => answer.status === 'fulfilled').map((answer) => answer.value);
  const failure = answers.find((answer) => answer.status === 'rejected');
  if (stopped.length === 0 && failure !== undefined) throw failure.reason;
  return stopped.reduce((sum, count) => sum + count, 0);
}

async function settled<T>(promise: Promise<T>): Promise<PromiseSettledResult<T>> {
  const [result] = await Promise.allSettled([promise]);
  return result;
}
