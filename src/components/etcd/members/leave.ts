import type { StepContext } from '../../../activities/types.js';
import type { Cluster } from '../../../cluster/types.js';
import type { RemoteHost } from '../../../hosts/types.js';
import { etcdctl, type Member, votersOf } from './members.js';
import { healthyFunction, quorumGuard, remove } from './remove-member.js';

/**
 * How many of these members say that they are healthy, as a host of etcd sees them. Silence counts as not healthy: it is asked before a
 * vote is given up.
 */
export async function healthOfOthers(
  { cluster, signal }: Pick<StepContext, 'cluster' | 'signal'>,
  via: RemoteHost,
  members: Member[],
): Promise<number> {
  const { stdout } = await via.run(`${healthyFunction(cluster, members)}healthy\n`, { signal, timeoutMs: 60_000 });
  return Number(stdout.trim());
}

/** What came of it: `removed`; `gone`, it was no member any more; or the number of healthy ones that stay, which were too few. */
export type Leaving = 'removed' | 'gone' | { healthy: number };

/**
 * Takes a member that lives, or that is silent, out of etcd, because a person has said that its host leaves: by its id, through another
 * voter, and only while those that stay are a quorum without it, which the same script asks. A leader hands over first, so that nobody
 * waits for an election.
 *
 * Without a fence, which a host that cannot be reached could not bear: a successor of the member has another id.
 *
 * @param via a host whose own member has a quorum; never the leaving one
 * @throws KubewrightError KW433 (transient) when it is not known what became of it
 */
export async function leaveEtcd(
  context: StepContext,
  { remote: via, members }: { remote: RemoteHost; members: Member[] },
  leaving: Member,
): Promise<Leaving> {
  const staying = votersOf(members).filter(({ id }) => id !== leaving.id);
  const guard = leaving.learner
    ? ''
    : `${quorumGuard(context.cluster, staying)}${handOver(context.cluster, leaving, staying)}`;
  const outcome = await remove(context, via, leaving, guard);
  if (outcome === 'removed' || outcome === 'gone') return outcome;
  return { healthy: Number(outcome.replace('healthy ', '')) };
}

/** Bash: etcdctl refuses it where the member is no leader, and a silent one cannot. Its failure stops nothing. */
function handOver(cluster: Pick<Cluster, 'etcd'>, { clientUrls }: Member, staying: Member[]): string {
  const [heir] = staying.filter(({ started }) => started);
  if (heir === undefined || clientUrls.length === 0) return '';
  return `${etcdctl(cluster, clientUrls)} move-leader ${heir.id} >/dev/null 2>&1 || true\n`;
}
