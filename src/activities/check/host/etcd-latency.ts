import { followedMember, type MemberTrend, slowDisk } from '../../../plan/etcd-trend.js';
import { type Answers, type Concern, couldNotLook, type Fault, type LookedAt } from './concern.js';
import { isAsked, MEMBER_QUESTION, metricsIn } from './etcd-member.js';
import { BUCKETS, LATENCY_METRICS, LEADER_CHANGES, STARTED } from './latency-metrics.js';

/**
 * How long the member's disk lets it wait, since the checks before, and how often it has seen another leader. Its metrics are those that
 * `etcdMember` has asked for. Leaders are judged for the whole cluster, where the check ends.
 */
export const etcdLatency: Concern = {
  questions: () => '',

  judge(at, answers) {
    const trend = trendOf(at, answers);
    if (trend === undefined) return [];
    if (trend === 'untold')
      return [couldNotLook("its member's disk", 'its metrics do not tell how long fsyncs and commits take')];
    const slow = slowDisk(trend);
    return slow === undefined ? [] : [faultOf(slow)];
  },

  sees(at, answers) {
    const trend = trendOf(at, answers);
    return trend === undefined || trend === 'untold' ? {} : { members: [trend] };
  },
};

/** Undefined where there is no member, or it did not answer, which is told already. */
function trendOf(at: LookedAt, { facts, answeredAt }: Answers): MemberTrend | 'untold' | undefined {
  if (!isAsked(at)) return undefined;
  const answer = facts.answer(MEMBER_QUESTION, '');
  if (answer.is !== 'yes') return undefined;
  const metrics = metricsIn(answer.value);
  const numberOf = (name: string): number => Number(metrics.get(name) ?? Number.NaN);
  if (LATENCY_METRICS.some((name) => Number.isNaN(numberOf(name)))) return 'untold';
  const [fsyncs, commits] = [numberOf(BUCKETS.fsyncs), numberOf(BUCKETS.commits)];
  const counted = [
    fsyncs,
    fsyncs - numberOf(BUCKETS.quickFsyncs),
    fsyncs - numberOf(BUCKETS.movingFsyncs),
    commits,
    commits - numberOf(BUCKETS.quickCommits),
    numberOf(LEADER_CHANGES),
  ];
  const { name: host } = at.host;
  const known = at.before?.members?.find((each) => each.host === host);
  return followedMember(known, { host, startedAt: Math.floor(numberOf(STARTED)), counted, at: answeredAt });
}

function faultOf({ what, seconds, percent, over }: NonNullable<ReturnType<typeof slowDisk>>): Fault {
  return {
    code: 'KW666',
    evidence: `etcd's disk is slow: ${what} took more than ${seconds} s for ${percent.toFixed(1)} % of them in the last ${over} min`,
    hint: 'All writes of the cluster wait for that, and a leader that waits too long is replaced. See who else writes to that disk (`iostat -x 1`, `pidstat -d 1`) and what it can do (`fio` with fdatasync, below 10 ms for 99 %): etcd wants a disk of its own, and none that is reached over a network.',
  };
}
