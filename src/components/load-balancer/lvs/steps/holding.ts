import { onEachHost } from '../../../../activities/each-host.js';
import type { StepContext } from '../../../../activities/types.js';
import { type Cluster, hostsOf } from '../../../../cluster/types.js';
import { type HostView, viewOf } from '../../view.js';
import { virtualIpOf } from '../../virtual-ip/virtual-ip.js';
import { holdsVipFunction } from '../../vrrp/steps/holder.js';
import { TABLE_PATH } from '../places.js';

/** Who of the directors has the virtual IP. */
export interface Holding {
  directors: HostView[];
  /** Those that say that they have it. */
  holders: HostView[];
  /** What keeps it from being known, one line each: who cannot be asked, and who does not tell. */
  untold: string[];
}

/** Asks every director for the virtual IP, for the hardware address of its card, and for its table. */
export async function lookAtDirectors(context: StepContext): Promise<Holding> {
  const { cluster } = context;
  const script = directorScript(cluster);
  const directors = await onEachHost(hostsOf(cluster, 'director'), (host) => viewOf(context, host, script));
  const asked = directors.map((view) => ({ view, holds: view.facts?.answer('holds', 'it does not have it') }));
  return {
    directors,
    holders: asked.filter(({ holds }) => holds?.is === 'yes').map(({ view }) => view),
    untold: asked.flatMap(({ view: { host }, holds }) => {
      if (holds === undefined) return [`${host.name} cannot be reached`];
      return holds.is === 'unknown' ? [`${host.name} does not tell whether it has ${virtualIpOf(cluster).vip}`] : [];
    }),
  };
}

function directorScript(cluster: Cluster): string {
  const { vip } = virtualIpOf(cluster);
  return `${holdsVipFunction(cluster)}mac() { ip -o link show "$(ip -o -4 address show to ${vip} | awk 'NR == 1 {print $2}')" | sed -n 's|.*link/ether \\([0-9a-f:]*\\).*|\\1|p'; }
ask holds holds_vip
fact mac mac
fact table cat ${TABLE_PATH}`;
}

/** What is wrong with the number of holders; undefined where there is one. */
export function holderFault(cluster: Cluster, { holders, untold }: Holding): string | undefined {
  const { vip } = virtualIpOf(cluster);
  const names = holders.map(({ host }) => host.name);
  if (names.length === 1) return undefined;
  if (names.length > 1) return `${names.join(' and ')} have ${vip} at the same time`;
  // Whoever could not be asked may have it.
  return untold.length === 0
    ? `no director has ${vip}`
    : `none of the directors that tell has ${vip}: ${untold.join('; ')}`;
}
