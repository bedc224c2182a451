/** What a member of etcd says of itself: its own id and that of the leader as it knows it, as etcd prints them in decimal. */
export interface EtcdStatus {
  member: bigint;
  leader: bigint;
}

/**
 * What `etcdctl endpoint status -w fields` prints of one member; undefined when that is nothing. Its other forms count columns, or
 * round ids, which have 64 bits.
 */
export function parseStatus(fields: string): EtcdStatus | undefined {
  const [member, leader] = ['MemberID', 'Leader'].map(
    (name) => new RegExp(`^"${name}" : (\\d+)$`, 'm').exec(fields)?.[1],
  );
  if (member === undefined || leader === undefined) return undefined;
  return { member: BigInt(member), leader: BigInt(leader) };
}
