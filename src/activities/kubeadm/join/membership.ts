import type { ClusterHost } from '../../../cluster/types.js';
import {
  isVoter,
  type Member,
  memberListFunction,
  memberOf,
  membersIn,
} from '../../../components/etcd/members/members.js';
import { kubeadmMakesMember } from '../../../components/registry/plan.js';
import { type Answer, no, refine, yes } from '../../answers.js';
import { gatherFacts } from '../../remote-facts.js';
import type { StepContext } from '../../types.js';
import type { ReadyControlPlane } from '../control-plane.js';
import { type NodeObject, nodeIn, nodeQuestion } from '../node/node-object.js';
import type { NodeState } from '../node/node-state.js';

/** What the cluster knows of a host, whatever the host itself says. */
export interface Membership {
  node: Answer<NodeObject>;
  /** The host's member in stacked etcd; a no for a host that is to have none. */
  etcd: Answer<Member>;
}

/** Asks a control plane that is ready. */
export async function lookAtMembership(
  context: StepContext,
  via: ReadyControlPlane,
  host: ClusterHost,
): Promise<Membership> {
  const stacked = hasStackedEtcd(context, host);
  const script = `${nodeQuestion(via.kubectl, host)}ask node node_object &
${stacked ? `${memberListFunction(context.cluster)}ask members member_list &` : ''}`;
  const facts = await gatherFacts(via.remote, script, context.signal);
  const member = refine(membersIn(facts, 'members'), (members) => {
    const mine = memberOf(members, host);
    return mine === undefined ? no(`etcd has no member at ${host.address}`) : yes(mine);
  });
  return { node: nodeIn(facts, host), etcd: stacked ? member : no('this host is to have no member') };
}

/**
 * Whether a join of this host once came so far that the cluster counts on it: then it is brought back, never reset. Of a
 * control plane with stacked etcd its vote tells; a learner, or a member that never came, is what a failed join leaves.
 * A host whose join has ended well says so itself, in its ownership record, also when its node object was deleted since.
 *
 * Only the no permits what a new join destroys: it was given by the host (there is nothing of a cluster on it) or by the
 * cluster (it does not count on it), never by a question that failed.
 */
export function hasJoined(
  context: StepContext,
  host: ClusterHost,
  { traces, joinedBefore }: Pick<NodeState, 'traces' | 'joinedBefore'>,
  { node, etcd }: Membership,
): Answer<string> {
  if (traces.is !== 'yes') return traces;
  if (joinedBefore.is !== 'no') return joinedBefore;
  if (!hasStackedEtcd(context, host)) return refine(node, () => yes('it is a node'));
  return refine(etcd, (member) =>
    isVoter(member) ? yes('it has a vote in etcd') : no(`the etcd member ${member.id} of ${host.name} has no vote`),
  );
}

export function hasStackedEtcd(context: StepContext, host: ClusterHost): boolean {
  return kubeadmMakesMember(context.cluster, host.role);
}
