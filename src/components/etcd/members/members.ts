import { type Answer, refine, requireYes, unknown, yes } from '../../../activities/answers.js';
import { type Facts, gatherFacts } from '../../../activities/remote-facts.js';
import type { StepContext } from '../../../activities/types.js';
import type { Cluster, ClusterHost } from '../../../cluster/types.js';
import { quote } from '../../../hosts/shell.js';
import type { RemoteHost } from '../../../hosts/types.js';
import { etcdOf } from '../../registry/plan.js';
import { peerUrl } from './places.js';

/** A member as etcd's own list has it. */
export interface Member {
  /** Hexadecimal, as etcdctl takes it. */
  id: string;
  /** False for one that was announced and never came: it has published no client URL. */
  started: boolean;
  name: string;
  peerUrls: string[];
  clientUrls: string[];
  learner: boolean;
}

/**
 * etcdctl on a host that has a member, as a shell word list. It talks to the host's own member, and its answers are
 * linearizable: whoever answers has a quorum.
 *
 * @param endpoints client URLs; default: the host's own member
 */
export function etcdctl(cluster: Pick<Cluster, 'etcd'>, endpoints: string[] = ['https://127.0.0.1:2379']): string {
  const pki = `${etcdOf(cluster).pki}/etcd`;
  return [
    'etcdctl --dial-timeout=2s --command-timeout=4s',
    `--endpoints=${quote(endpoints.join(','))}`,
    `--cacert=${pki}/ca.crt --cert=${pki}/healthcheck-client.crt --key=${pki}/healthcheck-client.key`,
  ].join(' ');
}

/**
 * Bash function `member_list`: the list as the host's own member has it, and at once an error when that takes no clients,
 * for which etcdctl would wait in vain.
 */
export function memberListFunction(cluster: Pick<Cluster, 'etcd'>): string {
  return `member_list() {
  (: <>/dev/tcp/127.0.0.1/2379) 2>/dev/null || { echo 'no etcd member takes clients there' >&2; return 1; }
  ${etcdctl(cluster)} member list
}
`;
}

/** `ID, started, NAME, PEERS, CLIENTS, IS-LEARNER`, the default form of `etcdctl member list`. */
const MEMBER_LINE = /^([0-9a-f]+), (started|unstarted), ([^,]*), ([^ ]*), ([^ ]*), (true|false)$/;

/**
 * Reads `etcdctl member list`. An etcd that answers has at least one member, so an empty list is no list, and one of which
 * a single line cannot be read may lack the very member that is asked for.
 */
export function parseMembers(text: string): Answer<Member[]> {
  const lines = text.split('\n').map((line) => MEMBER_LINE.exec(line));
  const members = lines.flatMap((match) => (match === null ? [] : [toMember(match)]));
  if (members.length === lines.length) return yes(members);
  return unknown(text === '' ? 'etcdctl printed no members' : 'etcdctl printed something else than its members');
}

function toMember([, id = '', status, name = '', peers = '', clients = '', learner]: RegExpExecArray): Member {
  return {
    id,
    // etcdctl calls every member started that has a name, and those of a new cluster have one from the beginning.
    started: status === 'started' && clients !== '',
    name,
    peerUrls: peers.split(',').filter(Boolean),
    clientUrls: clients.split(',').filter(Boolean),
    learner: learner === 'true',
  };
}

/** The list that a script of facts asked for by `ask NAME member_list`. It is never a no. */
export function membersIn(facts: Facts, name: string): Answer<Member[]> {
  return refine(facts.answer(name, 'etcd has no members'), parseMembers);
}

/** The member of a host. Members are told by their peer URL: one that was announced has no name yet. */
export function memberOf(members: Member[], host: Pick<ClusterHost, 'address'>): Member | undefined {
  return members.find(({ peerUrls }) => peerUrls.includes(peerUrl(host.address)));
}

/** A member that counts for the quorum and has been there. */
export function isVoter(member: Member | undefined): boolean {
  return member?.started === true && !member.learner;
}

/** Members that the quorum is counted by, whether they are up or not; learners do not vote. */
export function votersOf(members: Member[]): Member[] {
  return members.filter(({ learner }) => !learner);
}

export function quorumOf(voters: number): number {
  return Math.floor(voters / 2) + 1;
}

/** Unknown when the host's member does not answer, or has no quorum. */
export async function listMembers({ cluster, signal }: StepContext, host: RemoteHost): Promise<Answer<Member[]>> {
  const script = `${memberListFunction(cluster)}ask members member_list`;
  return membersIn(await gatherFacts(host, script, signal), 'members');
}

/**
 * The list, from a host that was seen to have a member with a quorum.
 *
 * @throws KubewrightError KW433 (transient) when it does not come
 */
export async function requireMembers(context: StepContext, host: RemoteHost): Promise<Member[]> {
  return requireYes(await listMembers(context, host), 'which members etcd has', host.name);
}
