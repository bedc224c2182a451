import { type Concern, couldNotLook } from './concern.js';

/** Above this share of the table, in percent: what comes in a burst finds no place any more. */
const MOST = 80;

const FOLDER = '/proc/sys/net/netfilter';

/** Bash: a kernel that tracks no connections has no such files, and that is a no. */
const FUNCTIONS = `conntrack_table() {
  exists ${FOLDER}/nf_conntrack_count || return
  echo "$(<${FOLDER}/nf_conntrack_count) $(<${FOLDER}/nf_conntrack_max)"
}`;

/** How full the table of connections is. When it is full the kernel drops packets of new ones. */
export const conntrack: Concern = {
  questions: () => `${FUNCTIONS}\nask conntrack conntrack_table`,

  judge(_, { facts }) {
    const answer = facts.answer('conntrack', 'it tracks no connections');
    if (answer.is === 'no') return [];
    const [, count, most] = (answer.is === 'yes' && /^(\d+) (\d+)$/.exec(answer.value)) || [];
    if (count === undefined || most === undefined) {
      const why = answer.is === 'unknown' ? answer.why : `${FOLDER}/nf_conntrack_count and …_max hold no numbers`;
      return [couldNotLook('its table of connections', why)];
    }
    // Zero is no limit.
    const share = Number(most) === 0 ? 0 : (100 * Number(count)) / Number(most);
    if (share <= MOST) return [];
    const evidence = `its table of connections is ${share.toFixed(0)} % full (${count} of ${most})`;
    const hint =
      'When it is full, new connections are dropped. See who has so many (`conntrack -S`, `conntrack -L`), or raise net.netfilter.nf_conntrack_max: `sysctls` in cluster.yaml, or `conntrack` of kube-proxy, which sets it by the number of processors.';
    return [{ code: 'KW656', evidence, hint }];
  },
};
