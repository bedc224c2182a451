import type { ClusterHost } from '../../cluster/types.js';
import { quote } from '../../hosts/shell.js';
import type { RemoteHost } from '../../hosts/types.js';
import { peerUrl } from '../../render/etcd.js';
import { PKI_DIRECTORY } from '../../render/kubeadm.js';

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
export function etcdctl(endpoints: string[] = ['https://127.0.0.1:2379']): string {
  const pki = `${PKI_DIRECTORY}/etcd`;
  return [
    'etcdctl --dial-timeout=2s --command-timeout=4s',
    `--endpoints=${quote(endpoints.join(','))}`,
    `--cacert=${pki}/ca.crt --cert=${pki}/healthcheck-client.crt --key=${pki}/healthcheck-client.key`,
  ].join(' ');
}

/**
 * Bash function `member_list`: the list as the host's own member has it, and at once nothing when that takes no clients,
 * for which etcdctl would wait in vain.
 */
export const MEMBER_LIST = `member_list() { (: <>/dev/tcp/127.0.0.1/2379) 2>/dev/null && ${etcdctl()} member list; }\n`;

/** Parses `etcdctl member list` in its default form: `ID, started, NAME, PEERS, CLIENTS, IS-LEARNER`. */
export function parseMembers(text: string): Member[] {
  return text.split('\n').flatMap((line) => {
    const [id = '', status, name = '', peers = '', clients = '', learner] = line.split(', ');
    if (!/^[0-9a-f]+$/.test(id)) return [];
    return {
      id,
      // etcdctl calls every member started that has a name, and those of a new cluster have one from the beginning.
      started: status === 'started' && clients.trim() !== '',
      name,
      peerUrls: peers.split(',').filter(Boolean),
      clientUrls: clients.split(',').filter(Boolean),
      learner: learner?.trim() === 'true',
    };
  });
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

/** Undefined when the host's member does not answer, or has no quorum. */
export async function listMembers(host: RemoteHost, signal: AbortSignal): Promise<Member[] | undefined> {
  const result = await host.run(`${MEMBER_LIST}member_list`, { signal, allowFailure: true });
  const members = result.exitCode === 0 ? parseMembers(result.stdout) : [];
  return members.length > 0 ? members : undefined;
}

/** Which of these members answer, asked one by one from a host that has a member. */
export async function healthyMembers(via: RemoteHost, members: Member[], signal: AbortSignal): Promise<Member[]> {
  // Those that never came have no client URL.
  const reachable = members.filter(({ clientUrls }) => clientUrls.length > 0);
  const checks = reachable.map(
    ({ id, clientUrls }) => `{ ${etcdctl(clientUrls)} endpoint health >/dev/null 2>&1 && echo ${id}; } &`,
  );
  const { stdout } = await via.run(`${checks.join('\n')}\nwait\n`, { signal });
  const ids = new Set(stdout.split('\n'));
  return reachable.filter(({ id }) => ids.has(id));
}
