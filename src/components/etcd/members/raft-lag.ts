import type { ClusterHost } from '../../../cluster/types.js';
import { clientUrl } from './places.js';

/**
 * Entries by which a member may be behind the others. At as many that are committed and not applied etcd refuses requests
 * ("too many requests", `maxGapBetweenApplyAndCommitIndex` in its server), and a follower that lacks as many may have to be
 * sent the whole database (`SnapshotCatchUpEntries`).
 */
const MOST_ENTRIES = 5_000;

/** One answer of `etcdctl endpoint status`. */
const ENDPOINT = /"Endpoint":"([^"]+)"/;

/**
 * Members that are behind: alive, and of no use when the leader is lost. Pure.
 *
 * @param status what `etcdctl endpoint status --cluster --write-out=json` printed; members that do not tell are not judged
 */
export function raftFaults(hosts: readonly ClusterHost[], status: string): string[] {
  const members = status.split(/(?="Endpoint":)/).flatMap((text) => {
    const [endpoint, index, applied] = [
      ENDPOINT.exec(text)?.[1],
      indexIn(text, 'raftIndex'),
      indexIn(text, 'raftAppliedIndex'),
    ];
    return endpoint === undefined || index === undefined || applied === undefined ? [] : [{ endpoint, index, applied }];
  });
  const newest = Math.max(...members.map(({ index }) => index));
  return members.flatMap(({ endpoint, applied }) => {
    const behind = newest - applied;
    if (behind <= MOST_ENTRIES) return [];
    const name = hosts.find(({ address }) => clientUrl(address) === endpoint)?.name ?? endpoint;
    return [`${name} is ${behind} entries behind the other members`];
  });
}

/** Indices grow by one with each write, so they stay far below what a number holds. */
function indexIn(text: string, name: string): number | undefined {
  const found = new RegExp(`"${name}":(\\d+)`).exec(text)?.[1];
  return found === undefined ? undefined : Number(found);
}
