import { ETCD_METRICS_PORT } from '../../../components/etcd/members/places.js';
import { holdsMember } from '../../../components/registry/plan.js';
import { type Concern, couldNotLook, type Fault, type LookedAt, QUESTION_SECONDS } from './concern.js';
import { LATENCY_METRICS } from './latency-metrics.js';

/** Of the quota, in percent. At 100 etcd takes no more writes (alarm NOSPACE), and the cluster with it. */
const MOST_OF_QUOTA = 80;

const MIB = 2 ** 20;

/** The question whose answer has its metrics, and its health. */
export const MEMBER_QUESTION = 'member';

/** Metrics of etcd that are judged (etcd.io/docs/v3.6/metrics). */
const METRICS = [
  'etcd_server_has_leader',
  'etcd_server_quota_backend_bytes',
  'etcd_mvcc_db_total_size_in_bytes',
  'etcd_mvcc_db_total_size_in_use_in_bytes',
] as const;

/**
 * Bash: asks the member's listener for metrics, on loopback and without TLS. HTTP/1.0, so that the answer is one piece; hosts
 * may lack curl.
 */
const FUNCTIONS = `metrics_get() {
  timeout ${QUESTION_SECONDS} bash -c 'exec 3<>/dev/tcp/127.0.0.1/${ETCD_METRICS_PORT} && printf "GET %s HTTP/1.0\\r\\n\\r\\n" "$1" >&3 && cat <&3' - "$1" || {
    echo "nothing answers at 127.0.0.1:${ETCD_METRICS_PORT}" >&2
    return 1
  }
}
member_metrics() {
  local kw_metrics kw_health
  kw_metrics=$(metrics_get /metrics) || return 1
  # Of this member alone: without a quorum the other question has no answer for seconds, and is asked elsewhere.
  kw_health=$(metrics_get '/health?serializable=true')
  grep -E '^(${[...METRICS, ...LATENCY_METRICS.map(literal)].join('|')}) ' <<<"$kw_metrics"
  printf 'health %s\\n' "\${kw_health##*$'\\n'}"
}`;

/** What the host's member of etcd says of itself: whether it knows a leader, its alarms, and how far its database is from the quota. */
export const etcdMember: Concern = {
  questions: (at) => (isAsked(at) ? `${FUNCTIONS}\nask ${MEMBER_QUESTION} member_metrics &` : ''),

  judge(at, { facts }) {
    if (!isAsked(at)) return [];
    const answer = facts.answer(MEMBER_QUESTION, '');
    if (answer.is !== 'yes')
      return [couldNotLook('its member of etcd', answer.is === 'unknown' ? answer.why : answer.evidence)];
    const values = metricsIn(answer.value);
    const [leader, quota, size, used] = METRICS.map((name) => Number(values.get(name) ?? Number.NaN));
    return [...leaderFault(leader), ...healthFault(values.get('health'), leader), ...quotaFault({ quota, size, used })];
  },
};

/** Somebody who has moved the listener knows where it is; nobody answers at its usual place then. */
export function isAsked({ cluster, host }: LookedAt): boolean {
  const moved = cluster.etcd.extraArgs.some(({ name }) => name === 'listen-metrics-urls');
  return holdsMember(cluster, host.role) && !moved;
}

/** What its metrics say, by their names with labels. */
export function metricsIn(answer: string): Map<string, string> {
  return new Map(
    answer.split('\n').map((line) => {
      const at = line.indexOf(' ');
      return [line.slice(0, at), line.slice(at + 1)];
    }),
  );
}

/** For an extended regular expression. */
function literal(name: string): string {
  return name.replaceAll(/[.{}+]/g, '\\$&');
}

function leaderFault(leader = Number.NaN): Fault[] {
  if (leader === 1) return [];
  if (leader !== 0) return [couldNotLook('whether its member of etcd has a leader', 'its metrics do not say')];
  const hint = 'Without a leader etcd answers nothing: most members have to run and reach each other at port 2380.';
  return [{ code: 'KW660', evidence: 'its member of etcd knows no leader', hint }];
}

/** `/health` is false while an alarm is raised, whether there is a leader or not, and where the member cannot answer a read. */
function healthFault(health = '', leader = Number.NaN): Fault[] {
  if (/"health":\s*"true"/.test(health)) return [];
  const alarm = /ALARM \w+/.exec(health)?.[0];
  if (alarm === undefined) return unwellFault(health, leader);
  const hint =
    'NOSPACE: the database has reached its quota; compact, defragment one member after the other, then `etcdctl alarm disarm` (etcd’s documentation, "Space quota"). CORRUPT: a member’s data differs from the others’; ask before anything is done to it, and take a snapshot first.';
  return [{ code: 'KW662', evidence: `its member of etcd has raised an alarm (${alarm})`, hint }];
}

function unwellFault(health: string, leader: number): Fault[] {
  if (!/"health":\s*"false"/.test(health)) return [couldNotLook('the health of its member of etcd', 'it does not say')];
  const reason = /"reason":\s*"([^"]+)"/.exec(health)?.[1];
  // That is told by the metrics already.
  if (leader === 0 && reason === 'RAFT NO LEADER') return [];
  const evidence = `its member of etcd says that it is not well (${reason ?? 'without a reason'})`;
  const hint = 'The log of etcd on that host says more (`crictl logs`, or `journalctl -u kubewright-etcd`).';
  return [{ code: 'KW663', evidence, hint }];
}

function quotaFault({ quota = Number.NaN, size = Number.NaN, used = Number.NaN }): Fault[] {
  if (Number.isNaN(quota) || Number.isNaN(size))
    return [couldNotLook("its member's database", 'its metrics tell neither size nor quota')];
  const share = (100 * size) / quota;
  if (share <= MOST_OF_QUOTA) return [];
  const inUse = Number.isNaN(used) ? '' : `, ${mebibytes(used)} of them in use`;
  const evidence = `etcd's database has ${share.toFixed(0)} % of its quota (${mebibytes(size)} of ${mebibytes(quota)}${inUse})`;
  const hint =
    'Where little of it is in use, defragment one member after the other (`etcdctl defrag`). Else find what fills it (`kubectl get events -A`, objects of operators), or raise quota-backend-bytes by `etcd.extraArgs`.';
  return [{ code: 'KW661', evidence, hint }];
}

function mebibytes(bytes: number): string {
  return `${Math.round(bytes / MIB)} MiB`;
}
