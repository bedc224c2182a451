import type { ClusterHost } from '../../../cluster/types.js';
import { type AppliedRecord, placeOf } from '../record/read.js';
import type { Compare } from './index.js';

/**
 * What is wrong with the record itself. It is compared with nothing: the hosts say what is so. But whoever changed it by hand
 * has to know that this has no effect, and a copy that was not asked for may say something else.
 */
export const compareRecord: Compare = (_cluster, { record }) => ({
  found: [],
  unchecked: record.copies.flatMap((copy) => {
    const place = placeOf(copy);
    if (copy.state === 'edited') {
      return [
        `${place}: it was changed by hand, or cut short. What it says has no effect, and it is written anew at the end`,
      ];
    }
    return copy.state === 'unknown' ? [`${place}: it could not be asked for (${copy.why})`] : [];
  }),
});

/** Hosts that were part of the cluster when something was last applied to it; none where there is no record. */
export function recordedHosts({ answer }: AppliedRecord): ClusterHost[] {
  if (answer.is !== 'yes') return [];
  const { cluster, leftOut } = answer.value;
  return cluster.hosts.filter(({ name }) => !leftOut.includes(name));
}
