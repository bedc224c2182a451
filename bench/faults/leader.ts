import type { LabHost } from '../../lab/hosts/index.js';
import { until } from '../../lab/hosts/machine/run.js';
import type { LabCluster } from '../../lab/probes/cluster.js';
import { etcdStatus } from '../../lab/probes/etcd.js';
import type { EtcdStatus } from '../../src/components/etcd/members/status.js';

/** A member's host and what the member says of itself. */
export interface Member<H = LabHost> {
  host: H;
  status: EtcdStatus;
}

const LIMIT_MS = 60_000;

/** Every member that answers. */
async function membersOf(cluster: LabCluster): Promise<Member[]> {
  const asked = cluster.members().map(async (host) => ({ host, status: await etcdStatus(host, cluster.etcdPki) }));
  return (await Promise.all(asked)).filter((member): member is Member => member.status !== undefined);
}

/** The member that leads, if all that answer say the same; pure. */
export function leaderAmong<H>(members: Member<H>[]): Member<H> | undefined {
  const named = new Set(members.map(({ status }) => status.leader));
  return named.size === 1 ? members.find(({ status }) => status.member === status.leader) : undefined;
}

/** To whom leadership has to go so that one of the wanted hosts has it; undefined when one of them has it already; pure. */
export function successor<H>(members: Member<H>[], mayLead: (host: H) => boolean): Member<H> | undefined {
  const leader = leaderAmong(members);
  if (leader !== undefined && mayLead(leader.host)) return undefined;
  const next = members.find(({ host }) => mayLead(host));
  if (next === undefined) throw new Error('none of the hosts that shall lead etcd has a member that answers');
  return next;
}

/**
 * Moves etcd's leadership to one of the wanted hosts, unless one of them has it.
 *
 * @returns the host that leads then
 * @throws Error when none of them does within a minute
 */
export async function putLeader(cluster: LabCluster, mayLead: (host: LabHost) => boolean): Promise<LabHost> {
  const led = await until(async () => {
    const members = await membersOf(cluster);
    const leader = leaderAmong(members);
    if (leader === undefined || members.length < cluster.members().length) return undefined;
    const next = successor(members, mayLead);
    if (next === undefined) return leader.host;
    const command = cluster.etcdctl('https://127.0.0.1:2379', `move-leader ${next.status.member.toString(16)}`);
    await leader.host.exec(command, { allowFailure: true });
    return undefined;
  }, LIMIT_MS);
  if (led === undefined) throw new Error('leadership of etcd did not move within a minute');
  return led;
}
