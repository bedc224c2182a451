import { onEachHost } from '../../../../activities/each-host.js';
import { apiGetFunction } from '../../../../activities/kubeadm/node/api-get.js';
import { listed } from '../../../../activities/prepare/checks/problem.js';
import type { StepContext } from '../../../../activities/types.js';
import { type Faults, faultsFrom } from '../../../../activities/verify/await-state.js';
import { nodesOf } from '../../../../activities/verify/verifyNodes.js';
import { apiServerPort } from '../../../../cluster/chosen-ports.js';
import type { Cluster, ClusterHost } from '../../../../cluster/types.js';
import { quote } from '../../../../hosts/shell.js';
import { endpointOf } from '../../../../render/kubeadm.js';
import { type HostView, viewOf } from '../../view.js';

/** So many hosts open so many connections each, to see who is behind the balancer: control planes first. */
const SAMPLERS = 10;
const CONNECTIONS = 8;

/** What hosts see through the balancer at one moment. */
export interface EndpointLook {
  /** `seen`, and who could not be asked. */
  faults: Faults;
  /** What is wrong, as hosts tell. */
  seen: string[];
  /** Control planes that no connection led to. That may be the balancer's way of choosing. */
  unseen: string[];
}

/**
 * Asks the API from every node through the balancer, and compares whose certificates come back with those that the control
 * planes present themselves: each API server has one of its own.
 */
export async function lookThrough(context: StepContext): Promise<EndpointLook> {
  const { cluster } = context;
  const nodes = nodesOf(cluster);
  const views = await onEachHost(nodes, (host) =>
    viewOf(context, host, script(cluster, host, nodes.indexOf(host) < SAMPLERS)),
  );
  const missing = views.filter(({ facts }) => facts === undefined).map(({ host }) => `${host.name} cannot be reached`);
  const told = views.filter(({ facts }) => facts !== undefined);
  const notReady = told
    .filter(({ facts }) => facts?.text('api') !== 'ok')
    .map(({ host }) => `the API behind ${endpointOf(cluster)} is not ready as seen from ${host.name}`);
  const seen = [...notReady, ...strangers(cluster, views)];
  return { faults: faultsFrom(seen, missing), seen, unseen: unseen(views) };
}

/**
 * Bash. Connections of the sample stay open for a second beside each other: a balancer that sends each new one to the server
 * with the fewest shows more of them then.
 */
export function script(cluster: Cluster, host: ClusterHost, samples: boolean): string {
  const own = host.role === 'control-plane' ? `fact own presented ${host.address}:${apiServerPort(cluster)}\n` : '';
  const sample = samples ? `fact presented sample ${quote(endpointOf(cluster))}\n` : '';
  return `${apiGetFunction(cluster)}presented() { sleep 1 | timeout 8 openssl s_client -connect "$1" 2>/dev/null | openssl x509 -noout -fingerprint -sha256; }
sample() {
  local kw_each
  for kw_each in {1..${CONNECTIONS}}; do presented "$1" & done
  wait
}
fact api api_get /readyz
${own}${sample}`;
}

function presentedTo(views: HostView[]): { host: string; prints: string[] }[] {
  return views.map(({ host, facts }) => ({
    host: host.name,
    prints: (facts?.text('presented') ?? '').split('\n').filter((line) => line !== ''),
  }));
}

/** What each control plane presents itself; undefined for one that did not tell. */
function ownPrints(views: HostView[]): { host: string; print: string | undefined }[] {
  return views
    .filter(({ host }) => host.role === 'control-plane')
    .map(({ host, facts }) => ({ host: host.name, print: facts?.text('own') || undefined }));
}

/** Judged only where every control plane has told its certificate: else a stranger may be one that has not. */
function strangers(cluster: Cluster, views: HostView[]): string[] {
  const own = ownPrints(views).map(({ print }) => print);
  if (own.includes(undefined)) return [];
  const misled = presentedTo(views)
    .filter(({ prints }) => prints.some((print) => !own.includes(print)))
    .map(({ host }) => host);
  if (misled.length === 0) return [];
  return [`${endpointOf(cluster)} also leads to a server that is no control plane's, as seen from ${listed(misled)}`];
}

function unseen(views: HostView[]): string[] {
  const all = new Set(presentedTo(views).flatMap(({ prints }) => prints));
  return ownPrints(views).flatMap(({ host, print }) => (print !== undefined && !all.has(print) ? [host] : []));
}
