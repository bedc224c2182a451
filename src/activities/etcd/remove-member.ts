import { type ClusterHost, etcdHosts } from '../../cluster/types.js';
import { KubewrightError } from '../../errors.js';
import type { RemoteHost } from '../../hosts/types.js';
import type { StepContext } from '../types.js';
import { etcdctl, healthyMembers, listMembers, type Member, memberOf, quorumOf, votersOf } from './members.js';

/** Where the recovery of an etcd without a quorum is written down. */
export const QUORUM_RECOVERY = 'docs/topologies.md, "etcd without a quorum"';

/**
 * Takes the member of a host out of etcd, so that the host can come back with an empty disk. Keyed on the peer URL and
 * read before it is written: done twice it does nothing the second time.
 *
 * @param via a host whose own member has a quorum; never the host itself
 * @throws KubewrightError KW470 when those that stay, and are healthy, would be no quorum
 */
export async function removeMember(context: StepContext, via: RemoteHost, host: ClusterHost): Promise<void> {
  const { signal } = context;
  const members = (await listMembers(via, signal)) ?? [];
  const leaving = memberOf(members, host);
  if (leaving === undefined) return;
  if (!leaving.learner) {
    const staying = votersOf(members).filter(({ id }) => id !== leaving.id);
    const healthy = await healthyMembers(via, staying, signal);
    if (healthy.length < quorumOf(staying.length)) throw noQuorum(host, staying.length, healthy.length);
  }
  context.progress(`removing the former etcd member of ${host.name}`);
  await via.run(`${etcdctl()} member remove ${leaving.id}`, { signal });
}

/**
 * Takes learners out that other joins left behind: etcd takes one learner at a time, so a dead one keeps every new member
 * out ("too many learner members in cluster"). A learner has no vote, so no quorum is asked for.
 *
 * One of a host that cluster.yaml does not have is left alone while it answers: somebody may keep it on purpose.
 *
 * @param via a host whose own member has a quorum
 * @param joining hosts whose learners are on their way, and stay
 */
export async function removeStaleLearners(
  context: StepContext,
  via: RemoteHost,
  joining: Pick<ClusterHost, 'address'>[],
): Promise<void> {
  const { signal } = context;
  const learners = ((await listMembers(via, signal)) ?? []).filter(({ learner }) => learner);
  for (const member of learners) {
    if (isAmong(joining, member)) continue;
    if (!isAmong(etcdHosts(context.cluster), member) && (await answers(via, member, signal))) continue;
    context.progress(`removing the learner ${member.name || member.peerUrls.join()} that a join left in etcd`);
    await via.run(`${etcdctl()} member remove ${member.id}`, { signal });
  }
}

function isAmong(hosts: Pick<ClusterHost, 'address'>[], member: Member): boolean {
  return hosts.some((host) => memberOf([member], host) !== undefined);
}

/** `endpoint health` reads from etcd, which learners refuse; `endpoint status` they answer. */
async function answers(via: RemoteHost, { clientUrls }: Member, signal: AbortSignal): Promise<boolean> {
  if (clientUrls.length === 0) return false;
  const status = await via.run(`${etcdctl(clientUrls)} endpoint status`, { signal, allowFailure: true });
  return status.exitCode === 0;
}

function noQuorum(host: ClusterHost, staying: number, healthy: number): KubewrightError {
  return new KubewrightError(
    'KW470',
    `the former etcd member of ${host.name} cannot be removed: of the ${staying} that stay only ${healthy} are healthy, and ${quorumOf(staying)} are needed`,
    {
      host: host.name,
      hint: `Bring the other etcd members back, then retry the step. If they are lost, see ${QUORUM_RECOVERY}.`,
    },
  );
}
