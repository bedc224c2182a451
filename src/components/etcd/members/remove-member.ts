import type { No } from '../../../activities/answers.js';
import { requireFence } from '../../../activities/fence.js';
import type { StepContext } from '../../../activities/types.js';
import type { Cluster, ClusterHost } from '../../../cluster/types.js';
import { KubewrightError } from '../../../errors.js';
import { quote } from '../../../hosts/shell.js';
import type { RemoteHost } from '../../../hosts/types.js';
import { etcdHosts, etcdOf } from '../../registry/plan.js';
import { etcdctl, type Member, memberOf, quorumOf, requireMembers, votersOf } from './members.js';

/** Where the recovery of an etcd without a quorum is written down. */
export const QUORUM_RECOVERY = 'docs/topologies.md, "etcd without a quorum"';

/**
 * Takes the member of a host out of etcd, so that the host can come back with an empty disk. Keyed on the peer URL and
 * read before it is written: done twice it does nothing the second time.
 *
 * @param via a host whose own member has a quorum; never the host itself
 * @param permit that the host is no member any more: nothing of etcd is on it, or etcd says that it has no vote
 * @throws KubewrightError KW470 when those that stay, and are healthy, would be no quorum; KW438 when the member answers
 * although its host said that it has none; KW433 (transient) when etcd does not tell its members
 */
export async function removeMember(
  context: StepContext,
  via: RemoteHost,
  host: ClusterHost,
  permit: No,
): Promise<void> {
  const members = await requireMembers(context, via);
  const leaving = memberOf(members, host);
  if (leaving === undefined) return;
  const staying = votersOf(members).filter(({ id }) => id !== leaving.id);
  await requireFence(context);
  context.progress(`removing the former etcd member of ${host.name}: ${permit.evidence}`);
  const outcome = await remove(
    context,
    via,
    leaving,
    leaving.learner ? '' : voterGuard(context.cluster, leaving, staying),
  );
  if (outcome === 'removed' || outcome === 'gone') return;
  if (outcome === 'alive') throw stillAnswers(host, leaving);
  throw noQuorum(host, staying.length, Number(outcome.replace('healthy ', '')));
}

/**
 * Takes learners out that other joins left behind: etcd takes one learner at a time, so a dead one keeps every new member
 * out ("too many learner members in cluster"). A learner has no vote, so no quorum is asked for.
 *
 * One of a host that cluster.yaml does not have is left alone while it answers: somebody may keep it on purpose.
 *
 * @param via a host whose own member has a quorum
 * @param joining hosts whose learners are on their way, and stay
 * @throws KubewrightError KW433 (transient) when etcd does not tell its members
 */
export async function removeStaleLearners(
  context: StepContext,
  via: RemoteHost,
  joining: Pick<ClusterHost, 'address'>[],
): Promise<void> {
  const learners = (await requireMembers(context, via)).filter(({ learner }) => learner);
  for (const member of learners) {
    if (isAmong(joining, member)) continue;
    await requireFence(context);
    const foreign = !isAmong(etcdHosts(context.cluster), member);
    context.progress(`removing the learner ${member.name || member.peerUrls.join()} that a join left in etcd`);
    await remove(context, via, member, foreign ? livingGuard(context.cluster, member) : '');
  }
}

function isAmong(hosts: Pick<ClusterHost, 'address'>[], member: Member): boolean {
  return hosts.some((host) => memberOf([member], host) !== undefined);
}

const CANNOT_TELL = 75;

/**
 * Removes exactly the member that was looked at: in one script etcd is asked again, and nothing is done unless it still
 * has that id at that peer URL, with a vote or without one as before. A successor at the same address has another id.
 *
 * @param guard Bash that prints another outcome and ends the script where the member has to stay
 * @returns `removed`, `gone`, or what the guard printed
 */
export async function remove(context: StepContext, via: RemoteHost, member: Member, guard: string): Promise<string> {
  const { exitCode, stdout, stderr } = await via.run(removalScript(context.cluster, member, guard), {
    signal: context.signal,
    allowFailure: true,
    timeoutMs: 60_000,
  });
  const outcome = stdout.trim().split('\n').at(-1) ?? '';
  if (exitCode === 0 && /^(removed|gone|alive|healthy \d+)$/.test(outcome)) return outcome;
  throw new KubewrightError('KW433', `cannot tell what became of the etcd member ${member.name || member.id}`, {
    host: via.name,
    transient: true,
    output: `${stdout}${stderr}`.trim().slice(-1000),
    hint: `It is asked again by itself; if it stays so, look at etcd on this host (${etcdOf(context.cluster).log}).`,
  });
}

/** Exported for its test in a real bash. */
export function removalScript(cluster: Pick<Cluster, 'etcd'>, member: Member, guard: string): string {
  const shape = `${member.id}, *, *, ${member.peerUrls.join(',')}, *, ${member.learner}`;
  return `members=$(${etcdctl(cluster)} member list) && [ -n "$members" ] || exit ${CANNOT_TELL}
found=
while IFS= read -r line; do
  [[ $line != ${quote(`${member.id},`)}* ]] || found=$line
done <<<"$members"
[ -n "$found" ] || { echo gone; exit 0; }
case $found in ${shape.split('*').map(quote).join('*')}) ;; *) echo "it has changed: $found" >&2; exit ${CANNOT_TELL} ;; esac
${guard}${etcdctl(cluster)} member remove ${member.id} >/dev/null || exit ${CANNOT_TELL}
echo removed
`;
}

/** A member that answers lives, whatever was said of its host. Learners refuse `health` and answer `status`. */
function livingGuard(cluster: Pick<Cluster, 'etcd'>, { clientUrls }: Member): string {
  if (clientUrls.length === 0) return '';
  return `if ${etcdctl(cluster, clientUrls)} endpoint status >/dev/null 2>&1; then echo alive; exit 0; fi
`;
}

/** A vote goes only when its member does not answer and those that stay have a quorum without it. Exported for its test. */
export function voterGuard(cluster: Pick<Cluster, 'etcd'>, leaving: Member, staying: Member[]): string {
  return `${livingGuard(cluster, leaving)}${quorumGuard(cluster, staying)}`;
}

/** Bash: `healthy` prints how many of these members say that they are healthy. */
export function healthyFunction(cluster: Pick<Cluster, 'etcd'>, members: Member[]): string {
  // Those that never came have no client URL.
  const checks = members
    .filter(({ clientUrls }) => clientUrls.length > 0)
    .map(({ clientUrls }) => `{ ${etcdctl(cluster, clientUrls)} endpoint health >/dev/null 2>&1 && echo; } &`);
  return `healthy() { {
${checks.join('\n')}
wait; } | wc -l; }
`;
}

/** Bash that ends the script, and says how many are healthy, where those that stay are no quorum. */
export function quorumGuard(cluster: Pick<Cluster, 'etcd'>, staying: Member[]): string {
  return `${healthyFunction(cluster, staying)}healthy=$(healthy)
[ "$healthy" -ge ${quorumOf(staying.length)} ] || { echo "healthy $healthy"; exit 0; }
`;
}

function stillAnswers(host: ClusterHost, { id, clientUrls }: Member): KubewrightError {
  return new KubewrightError('KW438', `its etcd member ${id} still answers at ${clientUrls.join(', ')}`, {
    host: host.name,
    hint: `Nothing of etcd was found on ${host.name}, so another machine may have its address ${host.address}. Find out which one answers there; then retry the step.`,
  });
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
