import { isNode } from '../../cluster/roles.js';
import { type Cluster, type ClusterHost, hostsOf } from '../../cluster/types.js';
import { healthOfOthers } from '../../components/etcd/members/leave.js';
import { listMembers, type Member, memberOf, quorumOf, votersOf } from '../../components/etcd/members/members.js';
import { etcdHosts, etcdOf, holdsMember } from '../../components/registry/plan.js';
import { isKubewrightError, messageOf } from '../../errors.js';
import type { RemoteHost } from '../../hosts/types.js';
import { type Answer, no, unknown, yes } from '../answers.js';
import { findControlPlane } from '../kubeadm/control-plane.js';
import { nodeIn, nodeQuestion } from '../kubeadm/node/node-object.js';
import type { Problem } from '../prepare/checks/problem.js';
import { gatherFacts } from '../remote-facts.js';
import type { StepContext } from '../types.js';
import { cannotTell, type HostLook, isBlank, neverOurs } from './whose.js';

/**
 * Why one host cannot leave a cluster that goes on: it is the last of its kind, etcd would lose its quorum, or the cluster does not tell.
 * Asks the other hosts; changes nothing.
 */
export async function oneHostProblems(context: StepContext, look: HostLook): Promise<Problem[]> {
  const { wholeCluster: cluster } = context;
  const { host } = look;
  const last = lastOfItsKind(cluster, host);
  if (last !== undefined) return [last];
  const known: Answer<string>[] = [];
  const problems: Problem[] = [];
  if (holdsMember(cluster, host.role)) {
    const { problem, member } = await voteOf(context, host);
    if (problem !== undefined) problems.push(problem);
    known.push(member);
  }
  if (isNode(host.role)) {
    const node = await nodeOf(context, host);
    if (node.is === 'unknown') problems.push(cannotTell(look, 'whether it is a node of the cluster', node.why));
    known.push(node);
  }
  // Where a blank machine has taken a host's place, what the cluster still knows of it is to be taken out.
  if (isBlank(look) && known.every(({ is }) => is === 'no')) {
    problems.push(neverOurs(host, 'it is blank, and the cluster has neither a node nor a member of etcd of it'));
  }
  return problems;
}

function lastOfItsKind(cluster: Cluster, host: ClusterHost): Problem | undefined {
  const all = 'To give the whole cluster back, leave --host out.';
  const only = (role: ClusterHost['role']) => host.role === role && hostsOf(cluster, role).length === 1;
  if (only('control-plane')) return refusal('KW395', host, 'it is the only control plane', all);
  if (only('etcd')) return refusal('KW395', host, 'it has the only member of etcd', all);
  const { byKubeadm } = etcdOf(cluster);
  if (byKubeadm || etcdHosts(cluster)[0]?.name !== host.name) return undefined;
  return refusal(
    'KW397',
    host,
    'the key of the authority of etcd is on it, and nowhere else',
    'Without it no member gets certificates any more. Put the host behind the others in cluster.yaml once that key is on another one, or give the whole cluster back.',
  );
}

function refusal(code: string, { name }: ClusterHost, why: string, hint: string): Problem {
  return {
    code,
    what: `${name} cannot be taken out of the cluster: ${why}`,
    hint: `Nothing was changed. ${hint}`,
    hosts: [name],
  };
}

/** A host of etcd, not the one that leaves, that tells the members. Nobody else is asked about the quorum. */
export interface Voter {
  remote: RemoteHost;
  members: Member[];
}

/** The first of the other hosts of etcd that tells the members: whoever answers has a quorum. */
export async function findVoter(context: StepContext, leaving: ClusterHost): Promise<Answer<Voter>> {
  const reasons: string[] = [];
  for (const { name } of etcdHosts(context.wholeCluster).filter((each) => each.name !== leaving.name)) {
    const remote = context.hostNamed(name);
    const members = await unlessSilent(context, () => listMembers(context, remote));
    if (members.is === 'yes') return yes({ remote, members: members.value });
    reasons.push(`${name}: ${members.is === 'unknown' ? members.why : members.evidence}`);
  }
  return unknown(reasons.join('; ') || 'no other host has a member');
}

async function voteOf(context: StepContext, host: ClusterHost): Promise<{ problem?: Problem; member: Answer<string> }> {
  const found = await findVoter(context, host);
  if (found.is !== 'yes') {
    const why = found.is === 'unknown' ? found.why : found.evidence;
    return { problem: cannotTell({ host }, 'whether etcd has a quorum without it', why), member: unknown(why) };
  }
  const { remote, members } = found.value;
  const leaving = memberOf(members, host);
  if (leaving === undefined) return { member: no(`etcd has no member at ${host.address}`) };
  const member = yes(leaving.id);
  if (leaving.learner) return { member };
  const staying = votersOf(members).filter(({ id }) => id !== leaving.id);
  if (staying.length === 0)
    return {
      member,
      problem: refusal(
        'KW395',
        host,
        'it has the last vote of etcd',
        'To give the whole cluster back, leave --host out.',
      ),
    };
  const healthy = await healthOfOthers(context, remote, staying);
  if (healthy >= quorumOf(staying.length)) return { member };
  const what = `of the ${staying.length} members of etcd that stay only ${healthy} are healthy, and ${quorumOf(staying.length)} are needed`;
  return { member, problem: refusal('KW395', host, what, 'Bring the other members back, then retry the step.') };
}

/** Whether the cluster has a node of that name, as a control plane says that is not the host itself. */
async function nodeOf(context: StepContext, host: ClusterHost): Promise<Answer<string>> {
  const via = await findControlPlane(context, host);
  if (via === undefined) return unknown('no other control plane has an API server that is ready');
  const script = `${nodeQuestion(via.kubectl, host)}ask node node_object`;
  return unlessSilent(context, async () => {
    const node = nodeIn(await gatherFacts(via.remote, script, context.signal), host);
    return node.is === 'yes' ? yes(host.name) : node;
  });
}

async function unlessSilent<T>({ signal }: StepContext, ask: () => Promise<Answer<T>>): Promise<Answer<T>> {
  try {
    return await ask();
  } catch (error) {
    signal.throwIfAborted();
    if (!isKubewrightError(error) || !error.transient) throw error;
    return unknown(messageOf(error));
  }
}
