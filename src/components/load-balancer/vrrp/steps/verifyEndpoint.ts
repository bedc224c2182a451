import { unknown, yes } from '../../../../activities/answers.js';
import { onEachHost } from '../../../../activities/each-host.js';
import { apiGetFunction } from '../../../../activities/kubeadm/node/api-get.js';
import type { StepContext, StepImplementation } from '../../../../activities/types.js';
import { awaitFaultless, type Faults, faultsFrom, whatIsWrong } from '../../../../activities/verify/await-state.js';
import { nodesOf } from '../../../../activities/verify/verifyNodes.js';
import type { ClusterHost } from '../../../../cluster/types.js';
import { KubewrightError } from '../../../../errors.js';
import { quote } from '../../../../hosts/shell.js';
import type { EndpointLook } from '../../../work-types.js';
import { type HostView, viewOf } from '../../view.js';
import { virtualIpOf } from '../../virtual-ip/virtual-ip.js';
import { holdsVipFunction } from './holder.js';

/** The VIP moves within a second; ARP entries of other hosts are renewed by keepalived's announcements. */
const PATIENCE_MS = 60_000;
const LOOK_EVERY_MS = 500;

/**
 * Holds when exactly one control plane has the VIP, every other host's neighbour table agrees with that, and the API
 * answers through VIP and port from every node.
 *
 * @param hint what to do where it does not
 */
export function verifyingEndpoint(hint: string): StepImplementation {
  return {
    async probe(context) {
      const { faults, holders } = await look(context);
      const wrong = whatIsWrong(faults);
      if (wrong.length > 0) return { done: false, found: wrong.join('; '), changes: ['wait for the endpoint'] };
      const { vip, port } = virtualIpOf(context.cluster);
      return {
        done: true,
        found: `${holders?.join()} holds ${vip}; the API answers on ${vip}:${port} from every node`,
        changes: [],
      };
    },

    async apply(context) {
      const faults = await awaitFaultless(
        context,
        'whether every node reaches the API there',
        async () => (await look(context)).faults,
        {
          patienceMs: PATIENCE_MS,
          everyMs: LOOK_EVERY_MS,
        },
      );
      if (faults.length === 0) return;
      throw new KubewrightError('KW482', `the endpoint is not as it should be: ${faults.join('; ')}`, { hint });
    },
  };
}

/** With keepalived and HAProxy. */
export const verifyEndpoint = verifyingEndpoint(
  'On the control planes, `journalctl -u keepalived -u haproxy` (of static pods: `crictl logs`) says who holds the virtual IP and why. Mend the cause, then retry the step.',
);

/** How the endpoint is, as hosts see it that can be asked. */
export async function lookAtEndpoint(context: StepContext): Promise<EndpointLook> {
  const { seen, holders } = await look(context);
  return { faults: seen, ...(holders === undefined ? {} : { holders }) };
}

interface Look {
  /** `seen`, and who could not be asked. */
  faults: Faults;
  /** What hosts tell. */
  seen: string[];
  /** Who has the virtual IP; undefined where whoever could not be asked may be the one. */
  holders: string[] | undefined;
}

async function look(context: StepContext): Promise<Look> {
  const views = await onEachHost(nodesOf(context.cluster), (host) => viewOf(context, host, script(context)));
  const unreachable = views
    .filter(({ facts }) => facts === undefined)
    .map(({ host }) => `${host.name} cannot be reached`);
  const { vip } = virtualIpOf(context.cluster);
  const holding = views.map(({ host, facts }) => ({
    host,
    facts,
    holds: facts?.answer('holds', 'it does not hold it'),
  }));
  // One that does not tell may be the second one.
  const untold = holding
    .filter(({ holds }) => holds?.is === 'unknown')
    .map(({ host }) => `${host.name} does not tell whether it holds ${vip}`);
  const missing = [...unreachable, ...untold];
  const holders = holding.filter(({ holds }) => holds?.is === 'yes');
  const [holder] = holders;
  if (holder === undefined || holders.length > 1) {
    const names = holders.map(({ host }) => host.name);
    if (holder !== undefined) {
      const seen = [`${names.join(' and ')} hold ${vip} at the same time`];
      return { holders: names, seen, faults: faultsFrom(seen, missing) };
    }
    if (missing.length === 0)
      return { holders: [], seen: [`nobody holds ${vip}`], faults: yes([`nobody holds ${vip}`]) };
    // Whoever could not be asked may hold it.
    const untold = `none of the hosts that tell holds ${vip}: ${missing.join('; ')}`;
    return { holders: undefined, seen: [untold], faults: unknown(untold) };
  }
  const mac = holder.facts?.text('mac') ?? '';
  const faults = views.flatMap((view) => (view.facts === undefined ? [] : faultsOf(context, view, holder.host, mac)));
  return { holders: [holder.host.name], seen: faults, faults: faultsFrom(faults, missing) };
}

/** The API comes first: asking it is what makes the kernel look for the VIP's hardware address. */
function script(context: StepContext): string {
  const address = quote(virtualIpOf(context.cluster).vip);
  return `${apiGetFunction(context.cluster)}${holdsVipFunction(context.cluster)}mac() { ip -o link show "$(ip -o -4 address show to ${address} | awk 'NR == 1 {print $2}')" | sed -n 's|.*link/ether \\([0-9a-f:]*\\).*|\\1|p'; }
neighbour() { ip neighbour show to ${address} | sed -n 's/.*lladdr \\([0-9a-f:]*\\).*/\\1/p'; }
fact api api_get /readyz
ask holds holds_vip
fact mac mac
fact neighbour neighbour`;
}

function faultsOf(context: StepContext, { host, facts }: HostView, holder: ClusterHost, mac: string): string[] {
  const { vip, port } = virtualIpOf(context.cluster);
  const faults: string[] = [];
  if (facts?.text('api') !== 'ok') faults.push(`the API behind ${vip}:${port} is not ready as seen from ${host.name}`);
  const neighbour = facts?.text('neighbour') ?? '';
  // No entry is no fault: a router may stand between, and the connection above was made.
  if (host !== holder && neighbour !== '' && neighbour !== mac) {
    faults.push(`${host.name} takes ${neighbour} for the holder of ${vip}, which is ${holder.name} (${mac})`);
  }
  return faults;
}
