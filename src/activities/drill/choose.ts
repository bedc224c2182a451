import { type Cluster, type ClusterHost, hostsOf } from '../../cluster/types.js';
import { etcdctl } from '../../components/etcd/members/members.js';
import { type EtcdStatus, parseStatus } from '../../components/etcd/members/status.js';
import { viewOf } from '../../components/load-balancer/view.js';
import { holdsVipFunction } from '../../components/load-balancer/vrrp/steps/holder.js';
import { etcdHosts, loadBalancerOf } from '../../components/registry/plan.js';
import { KubewrightError } from '../../errors.js';
import type { Scenario } from '../../plan/drill-report.js';
import { onEachHost } from '../each-host.js';
import type { StepContext } from '../types.js';

/**
 * The host that a scenario strikes: where it hurts most. Asked right before, for the virtual IP and etcd's leadership move.
 *
 * @throws KubewrightError KW677 (transient) while that cannot be told
 */
export async function chooseVictim(context: StepContext, scenario: Scenario): Promise<ClusterHost> {
  const { cluster } = context;
  const [controlPlane] = hostsOf(cluster, 'control-plane');
  const [worker] = hostsOf(cluster, 'worker');
  // The plan has no scenario for which there is no host, so this is a programming error.
  if (controlPlane === undefined) throw new Error('a cluster has at least one control plane');
  if (scenario === 'etcd-leader') return await etcdLeader(context);
  if (scenario === 'network') return worker ?? controlPlane;
  const holder = await endpointHolder(context);
  if (scenario === 'balancer') return holder ?? controlPlane;
  return holder?.role === 'control-plane' ? holder : controlPlane;
}

/**
 * The host that asks: none that is struck, and one that comes to the endpoint from outside. A worker, or else a control plane that does
 * not have the endpoint itself.
 *
 * @returns undefined where there is none
 */
export function chooseProber(
  cluster: Cluster,
  scenario: Scenario,
  { victim, holder }: { victim: ClusterHost; holder: ClusterHost | undefined },
): ClusterHost | undefined {
  const isFree = ({ name }: ClusterHost): boolean => name !== victim.name;
  const worker = hostsOf(cluster, 'worker').find(isFree);
  if (worker !== undefined || loadBalancerOf(cluster).answersOnControlPlanes) return worker;
  const others = hostsOf(cluster, 'control-plane').filter(isFree);
  const away = others.find(({ name }) => name !== holder?.name);
  // With two control planes the one that is not struck may have the endpoint; where its balancer is struck it has not.
  return away ?? (scenario === 'balancer' ? undefined : others[0]);
}

/** The hosts of which `chooseProber` takes one, whoever is struck: of many workers the first two. */
export function possibleProbers(cluster: Cluster): ClusterHost[] {
  return [...hostsOf(cluster, 'worker').slice(0, 2), ...hostsOf(cluster, 'control-plane')];
}

/** The host that has the virtual IP; undefined where the cluster has none. @throws KubewrightError KW677 (transient) */
export async function endpointHolder(context: StepContext): Promise<ClusterHost | undefined> {
  const { cluster } = context;
  const { hostRole, addressKey } = loadBalancerOf(cluster);
  if (addressKey !== 'vip') return undefined;
  const hosts = hostsOf(cluster, hostRole ?? 'control-plane');
  const script = `${holdsVipFunction(cluster)}ask holds holds_vip`;
  const views = await onEachHost(hosts, (host) => viewOf(context, host, script));
  const holders = views.filter(({ facts }) => facts?.answer('holds', 'it does not have it').is === 'yes');
  const [holder] = holders;
  if (holder !== undefined && holders.length === 1) return holder.host;
  throw untold(`${holders.length === 0 ? 'no host says that it has' : 'more than one host has'} the virtual IP`);
}

async function etcdLeader(context: StepContext): Promise<ClusterHost> {
  const { cluster } = context;
  const script = `fact status ${etcdctl(cluster)} endpoint status -w fields`;
  const views = await onEachHost(etcdHosts(cluster), (host) => viewOf(context, host, script));
  const members = views.flatMap(({ host, facts }) => {
    const status = parseStatus(facts?.text('status') ?? '');
    return status === undefined ? [] : [{ host, status }];
  });
  const leader = leaderAmong(members);
  if (leader === undefined) throw untold('the members of etcd do not say who leads them');
  return leader;
}

/** The host whose member leads, where all that answer say the same. Pure. */
export function leaderAmong<H>(members: readonly { host: H; status: EtcdStatus }[]): H | undefined {
  const named = new Set(members.map(({ status }) => status.leader));
  if (named.size !== 1) return undefined;
  return members.find(({ status }) => status.member === status.leader)?.host;
}

function untold(what: string): KubewrightError {
  return new KubewrightError('KW677', `it cannot be told whom to strike: ${what}`, {
    transient: true,
    hint: 'Nothing was broken. `kubewright health --now` says what is wrong with the cluster.',
  });
}
