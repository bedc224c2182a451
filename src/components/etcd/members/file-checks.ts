import type { Report } from '../../../cluster/report.js';
import type { Sketch } from '../../../cluster/resolve/draft.js';
import type { Cluster, Role } from '../../../cluster/types.js';

export const HOSTS = ['spec', 'hosts'];
export const TOPOLOGY = ['spec', 'etcd', 'topology'];

/** etcd's own advice: more members cost write speed and gain nothing (etcd FAQ, "maximum cluster size"). */
const MOST_ETCD_MEMBERS = 7;

/** Hosts of a role; undefined while a role is unknown: then every count would be a guess. */
export function countOf({ hosts }: Sketch<Cluster>, role: Role): number | undefined {
  if (hosts.length === 0 || hosts.some((host) => host.role === undefined)) return undefined;
  return hosts.filter((host) => host.role === role).length;
}

/** Whether so many members make an etcd that survives something. */
export function checkMembers(members: number, what: string, report: Report): void {
  const place = { at: 'key', found: `${members} ${what}` } as const;
  if (members === 1) {
    report.warn(HOSTS, 'single-etcd-member', {
      ...place,
      message: 'with one etcd member there is no high availability: when its host fails, the cluster stands still',
      found: '',
      expected: 'three of them',
    });
  } else if (members > 0 && members % 2 === 0) {
    report.error(HOSTS, 'even-etcd-members', {
      ...place,
      message: `the number of etcd members is even: ${members} survive no more failures than ${members - 1}, and fail more often`,
      expected: `${members - 1} or ${members + 1}`,
    });
  } else if (members > MOST_ETCD_MEMBERS) {
    report.warn(HOSTS, 'many-etcd-members', {
      ...place,
      message: 'so many etcd members make every write slow',
      expected: `three or five, at most ${MOST_ETCD_MEMBERS}`,
    });
  }
}
