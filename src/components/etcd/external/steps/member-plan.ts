import { type Answer, type No, no, refine, requireKnown, type Yes, yes } from '../../../../activities/answers.js';
import { lookAtControlPlanes } from '../../../../activities/kubeadm/control-plane.js';
import type { StepContext } from '../../../../activities/types.js';
import { waitOf } from '../../../../activities/verify/await-state.js';
import { type ClusterHost, hostsOf } from '../../../../cluster/types.js';
import { KubewrightError } from '../../../../errors.js';
import { quote } from '../../../../hosts/shell.js';
import type { RemoteHost } from '../../../../hosts/types.js';
import { type Glance, lookUntil, notYet, seen } from '../../../../waiting.js';
import { etcdHosts, etcdOf } from '../../../registry/plan.js';
import { etcdctl, isVoter, listMembers, type Member, memberOf, requireMembers } from '../../members/members.js';
import { peerUrl } from '../../members/places.js';
import { QUORUM_RECOVERY, removeMember, removeStaleLearners } from '../../members/remove-member.js';

const PATIENCE_MS = 60_000;
const POLL_MS = 1_000;
/** etcd takes one learner at a time, so two new members wait for each other. */
const ADD_SECONDS = 180;

/** What a member starts with; etcd looks at it only when its data is empty. */
export interface MemberPlan {
  state: 'new' | 'existing';
  members: Pick<ClusterHost, 'name' | 'address'>[];
  /** A member of the living cluster that this one was announced to, and that promotes it; undefined for a new cluster. */
  via: RemoteHost | undefined;
  /** The id that the living cluster announced this member with; data of another one is not its own. */
  announced: string | undefined;
  /** The answer that permits moving data aside which is on the host: the cluster has put its member out. */
  staleData: No | undefined;
}

/** What the host itself says of etcd's data on it. */
export interface DataOnHost {
  data: Answer<string>;
  /** Id of the member that data was begun for, where this step began it. */
  begunFor: Answer<string>;
}

/**
 * Decides how the member of a host comes up that kubeadm does not make: with its data, as one of a new cluster, or, where the host is
 * new and the cluster lives, in the place of its former self, which is taken out and announced anew.
 *
 * Two blank members must never begin anew beside one with data: they would outvote it, and the data would be gone. So a
 * new cluster begins only while no control plane has used etcd.
 *
 * @param patienceMs how long an etcd without a quorum is waited for
 * @throws KubewrightError KW474 when etcd was in use and has no quorum, KW466 (transient) when that cannot be told, KW433
 * (transient) when the host does not tell whether it has data
 */
export async function planMember(
  context: StepContext,
  host: ClusterHost,
  onHost: DataOnHost,
  patienceMs = PATIENCE_MS,
): Promise<MemberPlan> {
  const all = etcdHosts(context.cluster);
  const data = requireKnown(onHost.data, "whether etcd's data is on the host", host.name);
  const look = async (): Promise<Glance<MemberPlan>> => {
    const living = await findLivingMember(context, host);
    if (living !== undefined) return seen(await planInLivingCluster(context, host, { ...onHost, data }, living));
    if (data.is === 'no' && (await wasInUse(context, host)))
      return notYet('waiting for the other etcd members to have a quorum');
    return seen({ state: 'new', members: all, via: undefined, announced: undefined, staleData: undefined });
  };
  const plan = await lookUntil(look, { patienceMs, everyMs: POLL_MS, ...waitOf(context) });
  if (plan === undefined) throw lostQuorum(host);
  return plan;
}

interface LivingMember {
  remote: RemoteHost;
  members: Member[];
}

/** Another host whose member answers with a quorum behind it. */
async function findLivingMember(context: StepContext, host: ClusterHost): Promise<LivingMember | undefined> {
  const asked = etcdHosts(context.cluster)
    .filter(({ name }) => name !== host.name)
    .map(async ({ name }) => {
      const remote = context.hostNamed(name);
      const members = await listMembers(context, remote);
      if (members.is !== 'yes') throw new Error(`${name} does not answer`);
      return { remote, members: members.value };
    });
  return Promise.any(asked).catch(() => undefined);
}

async function planInLivingCluster(
  context: StepContext,
  host: ClusterHost,
  { data, begunFor }: { data: Yes<string> | No; begunFor: Answer<string> },
  { remote, members }: LivingMember,
): Promise<MemberPlan> {
  const mine = memberOf(members, host);
  const existing = { state: 'existing', via: remote } as const;
  if (data.is === 'yes' && mine !== undefined) {
    const own = requireKnown(ownsData(mine, begunFor), 'whose data is on the host', host.name);
    const staleData = own.is === 'no' ? own : undefined;
    return { ...existing, members: namesOf(members, host), announced: mine.id, staleData };
  }
  if (mine?.started && data.is === 'no') await removeMember(context, remote, host, data);
  // Other etcd hosts may be joining at this very moment.
  await removeStaleLearners(context, remote, etcdHosts(context.cluster));
  const announced = await announce(context, remote, host);
  // etcd would refuse to start with data of a member that the cluster has put out.
  const staleData = data.is === 'yes' ? no(`etcd had no member at ${host.address}`) : undefined;
  return {
    ...existing,
    members: namesOf(announced, host),
    announced: memberOf(announced, host)?.id,
    staleData,
  };
}

/**
 * Whether the data on a host is of the member that the cluster has for it. A member that has come, or that has a vote, has
 * its data there. One that was announced and never came may have found older data, where an earlier attempt ended between
 * announcing it and moving that aside: the note of whom data was begun for tells.
 */
function ownsData(mine: Member, begunFor: Answer<string>): Answer<string> {
  if (mine.started || !mine.learner) return yes('its member has come');
  return refine(begunFor, (id) =>
    id === mine.id ? yes('it was begun for it') : no(`the data was begun for the member ${id}, and not for ${mine.id}`),
  );
}

/** Adds the host as a learner unless it was added before: an earlier attempt may have ended right after it. */
async function announce(context: StepContext, remote: RemoteHost, host: ClusterHost): Promise<Member[]> {
  const add = `${etcdctl(context.cluster)} member add ${quote(host.name)} --learner --peer-urls=${quote(peerUrl(host.address))}`;
  context.progress(`announcing ${host.name} to etcd`);
  let said = '';
  const look = async () => {
    const members = await requireMembers(context, remote);
    if (memberOf(members, host) !== undefined) return seen(members);
    const added = await remote.run(`${add} >/dev/null`, { signal: context.signal, allowFailure: true });
    said = added.stderr;
    return added.exitCode === 0 ? seen(await requireMembers(context, remote)) : notYet();
  };
  const announced = await lookUntil(look, { patienceMs: ADD_SECONDS * 1_000, everyMs: POLL_MS, ...waitOf(context) });
  if (announced === undefined) throw notAnnounced(host, remote, said);
  return announced;
}

function notAnnounced(host: ClusterHost, via: RemoteHost, output: string): KubewrightError {
  return new KubewrightError('KW477', `etcd did not take the announcement of ${host.name} for ${ADD_SECONDS} s`, {
    host: via.name,
    output: output.trim(),
    hint: 'etcd takes one new member at a time, and only while all others are healthy: `etcdctl member list` and `etcdctl endpoint health --cluster` tell. Mend what they name, then retry the step.',
  });
}

/** Names and addresses for `initial-cluster`; the new member has no name in the list yet. */
function namesOf(members: Member[], host: ClusterHost): MemberPlan['members'] {
  const mine = memberOf(members, host);
  return members.map((member) => ({
    name: member.id === mine?.id ? host.name : member.name || member.id,
    address: new URL(member.peerUrls[0] ?? '').hostname,
  }));
}

/** Whether a control plane has ever been brought up, and so has put data into etcd. */
async function wasInUse(context: StepContext, host: ClusterHost): Promise<boolean> {
  const looks = await lookAtControlPlanes(context, hostsOf(context.cluster, 'control-plane'));
  const unknown = looks.filter(({ state }) => state === 'unknown').map((look) => look.host.name);
  if (looks.some(({ state }) => state === 'ready' || state === 'not-ready')) return true;
  if (unknown.length === 0) return false;
  throw new KubewrightError('KW466', `cannot tell whether etcd was in use: no way to ${unknown.join(', ')}`, {
    host: host.name,
    transient: true,
    hint: `The step goes on by itself when ${unknown.join(', ')} can be reached.`,
  });
}

function lostQuorum(host: ClusterHost): KubewrightError {
  return new KubewrightError('KW474', 'etcd was in use and has no quorum; this host is new and cannot bring it back', {
    host: host.name,
    hint: `Bring the other etcd members back, then retry the step. If they are lost, see ${QUORUM_RECOVERY}.`,
  });
}

/** Makes a learner a voter as soon as it is in sync. */
export async function promote(context: StepContext, via: RemoteHost, host: ClusterHost): Promise<void> {
  const look = async () => {
    const members = await listMembers(context, via);
    const mine = members.is === 'yes' ? memberOf(members.value, host) : undefined;
    if (isVoter(mine)) return seen(true);
    // It is refused while the member is not in sync, which the next look tells.
    if (mine?.started) {
      const promotion = `${etcdctl(context.cluster)} member promote ${mine.id}`;
      refusal = (await via.run(promotion, { signal: context.signal, allowFailure: true })).stderr;
    }
    return notYet('waiting for the new etcd member to be in sync');
  };
  let refusal = '';
  const voter = await lookUntil(look, { patienceMs: ADD_SECONDS * 1_000, everyMs: 500, ...waitOf(context) });
  if (voter === undefined) throw notInSync(context, host, refusal);
}

function notInSync({ cluster }: StepContext, host: ClusterHost, output: string): KubewrightError {
  return new KubewrightError('KW475', `the new etcd member did not come into sync within ${ADD_SECONDS} s`, {
    host: host.name,
    output: output.trim(),
    hint: `Look at ${etcdOf(cluster).log} on ${host.name}, and at the network between the etcd hosts (ports 2379 and 2380).`,
  });
}
