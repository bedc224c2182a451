import type { ClusterHost } from '../../../cluster/types.js';
import { quote } from '../../../hosts/shell.js';
import { isVoter, MEMBER_LIST, type Member, memberOf, parseMembers } from '../../etcd/members.js';
import { gatherFacts } from '../../remote-facts.js';
import type { StepContext } from '../../types.js';
import type { ReadyControlPlane } from '../control-plane.js';
import { NODE_TEMPLATE, type NodeObject, parseNode } from '../node/node-object.js';

/** What the cluster knows of a host, whatever the host itself says. */
export interface Membership {
  node: NodeObject | undefined;
  /** Of a control plane with stacked etcd. */
  etcd: Member | undefined;
}

/** Asks a control plane that is ready. */
export async function lookAtMembership(
  context: StepContext,
  via: ReadyControlPlane,
  host: ClusterHost,
): Promise<Membership> {
  const script = `fact node ${via.kubectl} get node ${quote(host.name)} -o ${quote(`jsonpath=${NODE_TEMPLATE}`)} &
${hasStackedEtcd(context, host) ? `${MEMBER_LIST}fact members member_list &` : ''}`;
  const facts = await gatherFacts(via.remote, script, context.signal);
  return { node: parseNode(facts.text('node')), etcd: memberOf(parseMembers(facts.text('members')), host) };
}

/**
 * Whether a join of this host once came so far that the cluster counts on it: then it is brought back, never reset. Of a
 * control plane with stacked etcd its vote tells; a learner, or a member that never came, is what a failed join leaves.
 *
 * @param blank whether nothing of a cluster is on the host: then it was replaced
 */
export function hasJoined(context: StepContext, host: ClusterHost, blank: boolean, membership: Membership): boolean {
  if (blank) return false;
  return hasStackedEtcd(context, host) ? isVoter(membership.etcd) : membership.node !== undefined;
}

export function hasStackedEtcd(context: StepContext, host: ClusterHost): boolean {
  return host.role === 'control-plane' && context.cluster.etcd.topology === 'stacked';
}
