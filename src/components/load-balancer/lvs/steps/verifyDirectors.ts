import { unknown, yes } from '../../../../activities/answers.js';
import { onEachHost } from '../../../../activities/each-host.js';
import { apiGetFunction } from '../../../../activities/kubeadm/node/api-get.js';
import { listed } from '../../../../activities/prepare/checks/problem.js';
import type { StepContext, StepImplementation } from '../../../../activities/types.js';
import { awaitFaultless, type Faults, faultsFrom, whatIsWrong } from '../../../../activities/verify/await-state.js';
import { nodesOf } from '../../../../activities/verify/verifyNodes.js';
import { apiServerPort } from '../../../../cluster/chosen-ports.js';
import { type Cluster, hostsOf } from '../../../../cluster/types.js';
import { KubewrightError } from '../../../../errors.js';
import { endpointOf } from '../../../../render/kubeadm.js';
import type { EndpointLook } from '../../../work-types.js';
import { type HostView, viewOf } from '../../view.js';
import { virtualIpOf } from '../../virtual-ip/virtual-ip.js';
import { REAL_SERVER } from '../places.js';
import { type Holding, holderFault, lookAtDirectors } from './holding.js';
import { realServersIn } from './table.js';

/** The VIP moves within a second, and an API server that is ready is in the table within a second. */
const PATIENCE_MS = 60_000;
const LOOK_EVERY_MS = 500;

/** What to do about an endpoint that is not as it should be. */
export const ENDPOINT_HINT = `On the directors, \`journalctl -u keepalived\` says who has the virtual IP and why a control plane is not in the table (\`ipvsadm -Ln\`, or /proc/net/ip_vs); on the control planes, \`journalctl -u ${REAL_SERVER}\` says whether they have the virtual IP on lo.`;

/**
 * Holds when one director has the VIP, the table of each has every control plane, each of these has the VIP on `lo`, and the
 * API answers through it from every node. A worker takes the holder's card for the VIP: no control plane has answered ARP.
 */
export const verifyDirectors: StepImplementation = {
  async probe(context) {
    const { faults, holders } = await look(context);
    const wrong = whatIsWrong(faults);
    if (wrong.length > 0) return { done: false, found: wrong.join('; '), changes: ['wait for the endpoint'] };
    const { cluster } = context;
    const servers = hostsOf(cluster, 'control-plane').length;
    const found = `${holders?.join()} has ${virtualIpOf(cluster).vip} with ${servers} real servers; the API answers on ${endpointOf(cluster)} from every node`;
    return { done: true, found, changes: [] };
  },

  async apply(context) {
    const faults = await awaitFaultless(
      context,
      'whether every node reaches the API there',
      async () => (await look(context)).faults,
      { patienceMs: PATIENCE_MS, everyMs: LOOK_EVERY_MS },
    );
    if (faults.length === 0) return;
    throw new KubewrightError('KW482', `the endpoint is not as it should be: ${faults.join('; ')}`, {
      hint: `${ENDPOINT_HINT} Mend the cause, then retry the step.`,
    });
  },
};

/** How the endpoint is, as hosts see it that can be asked; and directors that cannot, for nobody else tells that. */
export async function lookAtEndpoint(context: StepContext): Promise<EndpointLook> {
  const { seen, untold, holders } = await look(context);
  return { faults: [...seen, ...untold], ...(holders === undefined ? {} : { holders }) };
}

interface Look {
  /** `seen`, and who could not be asked. */
  faults: Faults;
  /** What hosts tell. */
  seen: string[];
  /** Directors that do not answer, unless `seen` names them. */
  untold: string[];
  /** Who has the virtual IP; undefined where a director that could not be asked may be the one. */
  holders: string[] | undefined;
}

async function look(context: StepContext): Promise<Look> {
  const { cluster } = context;
  const [holding, nodes] = await Promise.all([
    lookAtDirectors(context),
    onEachHost(nodesOf(cluster), (host) => viewOf(context, host, nodeScript(cluster))),
  ]);
  const away = nodes.filter(({ facts }) => facts === undefined).map(({ host }) => `${host.name} cannot be reached`);
  const missing = [...holding.untold, ...away];
  const seen = [...tableFaults(cluster, holding), ...nodes.flatMap((view) => nodeFaults(cluster, view, holding))];
  const fault = holderFault(cluster, holding);
  if (fault !== undefined && holding.holders.length === 0 && holding.untold.length > 0) {
    return {
      holders: undefined,
      seen: [fault, ...seen],
      untold: [],
      faults: seen.length === 0 ? unknown(fault) : yes([fault, ...seen]),
    };
  }
  const all = fault === undefined ? seen : [fault, ...seen];
  const holders = holding.holders.map(({ host }) => host.name);
  return { holders, seen: all, untold: holding.untold, faults: faultsFrom(all, missing) };
}

function nodeScript(cluster: Cluster): string {
  const { vip } = virtualIpOf(cluster);
  // The API comes first: asking it is what makes the kernel look for the VIP's hardware address.
  return `${apiGetFunction(cluster)}neighbour() { ip neighbour show to ${vip} | sed -n 's/.*lladdr \\([0-9a-f:]*\\).*/\\1/p'; }
fact api api_get /readyz
fact local ip -o -4 address show dev lo to ${vip}
fact neighbour neighbour`;
}

/** Both tables, for the other director may be next to have the virtual IP. */
function tableFaults(cluster: Cluster, { directors }: Holding): string[] {
  const port = apiServerPort(cluster);
  return directors.flatMap(({ host, facts }) => {
    if (facts === undefined) return [];
    const servers = realServersIn(facts.text('table'), cluster);
    if (servers === undefined) return [`LVS on ${host.name} knows nothing of ${endpointOf(cluster)}`];
    const absent = hostsOf(cluster, 'control-plane').filter(
      ({ address }) => !servers.some((one) => one.address === address && one.port === port && one.weight > 0),
    );
    return absent.length === 0 ? [] : [`LVS on ${host.name} leads to no ${listed(absent.map(({ name }) => name))}`];
  });
}

function nodeFaults(cluster: Cluster, { host, facts }: HostView, { holders }: Holding): string[] {
  if (facts === undefined) return [];
  const { vip } = virtualIpOf(cluster);
  const faults: string[] = [];
  if (facts.text('api') !== 'ok') {
    faults.push(`the API behind ${endpointOf(cluster)} is not ready as seen from ${host.name}`);
  }
  if (host.role === 'control-plane') {
    if (facts.text('local') === '')
      faults.push(`${host.name} does not have ${vip} on lo, so it takes no connection from LVS`);
    return faults;
  }
  const [holder] = holders;
  const [mac, neighbour] = [holder?.facts?.text('mac') ?? '', facts.text('neighbour')];
  // No entry is no fault: a router may stand between, and the connection above was made.
  if (holders.length === 1 && neighbour !== '' && neighbour !== mac) {
    faults.push(`${host.name} takes ${neighbour} for the holder of ${vip}, which is ${holder?.host.name} (${mac})`);
  }
  return faults;
}
