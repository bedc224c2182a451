import type { ClusterStatus } from '../../engine/index.js';
import { OPERATIONS } from '../../plan/operations.js';
import { drillNewsLines, drillRhythm } from '../../terminal/drill-schedules.js';
import { nounOf, rhythm, seenWhere, silenceOf, sinceWhen, VERDICT_WORDS } from '../../terminal/health.js';
import type { ClusterState, ClusterSummary } from '../../terminal/json/status.js';
import { summarise } from '../../terminal/status/summary.js';
import { plural, printable, utcMinute } from '../../terminal/text.js';
import type { Fact, StatusView, Tone } from '../told.js';
import { rolesOf } from './roles.js';

/** Findings that are sent: more than a person reads. */
const FINDINGS = 50;

const TONES: Readonly<Record<ClusterState, Tone>> = {
  well: 'good',
  incomplete: 'warn',
  blocked: 'bad',
  running: 'busy',
  amiss: 'bad',
};

/** How a cluster stands: the same facts as `kubewright status` shows, from the same summary. Pure. */
export function statusOf(status: ClusterStatus): StatusView {
  const summary = summarise(status);
  const { cluster, state, health, endpoint, notKnown } = summary;
  const findings = health?.findings ?? [];
  return {
    cluster,
    state,
    tone: TONES[state],
    facts: FACTS.flatMap((fact) => fact(summary)),
    findings: findings.slice(0, FINDINGS).map((finding) => ({
      code: finding.code,
      text: `${seenWhere(finding)}${health === undefined ? '' : sinceWhen(finding, health)}`,
      hint: printable(finding.hint),
    })),
    moreFindings: Math.max(0, findings.length - FINDINGS) + (health?.more ?? 0),
    ...(endpoint === undefined ? {} : { endpoint }),
    roles: rolesOf(summary),
    notKnown: notKnown.map(({ what, why }) => ({ what: printable(what), why: printable(why) })),
  };
}

type FactOf = (summary: ClusterSummary) => Fact[];

const healthFact: FactOf = ({ health }) => {
  if (health === undefined) return [{ label: 'Health', text: 'not known', tone: 'faint', more: [] }];
  const { verdict, at, findings, more = 0, during } = health;
  const count = findings.length + more;
  const found = count === 0 ? '' : `, ${plural(count, 'finding')}`;
  return [
    {
      label: 'Health',
      text: `${VERDICT_WORDS[verdict].replace(/^is /, '')}${found}, checked ${utcMinute(at)} UTC`,
      tone: verdict === 'ok' ? 'good' : 'bad',
      more: during === undefined ? [] : [`${nounOf(during.operation)} was under way meanwhile`],
    },
  ];
};

const checksFact: FactOf = ({ schedule, silentSince, silentDepth, heldBy }) => {
  const held =
    heldBy === undefined
      ? []
      : [`left out while ${nounOf(heldBy.operation)} holds the cluster, since ${utcMinute(heldBy.since)} UTC`];
  const silence = silenceOf(schedule, { silentSince, silentDepth }, 'cluster.yaml');
  const text = schedule === undefined ? 'none that is known' : rhythm(schedule);
  const isSilent = silence.length > 0;
  return [{ label: 'Scheduled checks', text, ...(isSilent ? { tone: 'bad' } : {}), more: [...held, ...silence] }];
};

const drillsFact: FactOf = ({ drills }) => {
  if (drills?.schedule === undefined) return [{ label: 'Scheduled drills', text: 'none that are known', more: [] }];
  const more = drillNewsLines(drills);
  const tone = drills.silentSince === undefined ? {} : { tone: 'bad' as const };
  return [{ label: 'Scheduled drills', text: drillRhythm(drills.schedule), ...tone, more }];
};

const endpointFact: FactOf = ({ endpoint, virtualIpHolders: holders }) => {
  if (endpoint === undefined) return [];
  if (holders === undefined) return [{ label: 'API endpoint', text: endpoint, more: [] }];
  const [only] = holders;
  if (only !== undefined && holders.length === 1) {
    return [{ label: 'API endpoint', text: `${endpoint}, held by ${only}`, tone: 'good', more: [] }];
  }
  const who = only === undefined ? 'nobody' : `${holders.join(' and ')} at the same time`;
  return [{ label: 'API endpoint', text: `${endpoint}, held by ${who}`, tone: 'bad', more: [] }];
};

const etcdFact: FactOf = ({ etcdLeader }) =>
  etcdLeader === undefined ? [] : [{ label: 'etcd', text: `led by ${etcdLeader}`, tone: 'good', more: [] }];

const appliedFact: FactOf = ({ applied }) => {
  if (applied === undefined) return [];
  const { version, hosts, generation, build, at, from, operation = 'install' } = applied;
  const record = generation === undefined ? [] : [`generation ${generation}, by kubewright ${build}`];
  const told =
    from === 'record'
      ? `read from the control planes ${utcMinute(at)} UTC`
      : `as the ${OPERATIONS[operation].words.noun} was started that ended ${utcMinute(at)} UTC; no check has read the record since`;
  return [{ label: 'Applied', text: `Kubernetes ${version} on ${plural(hosts, 'host')}`, more: [...record, told] }];
};

// In the order of the terminal. What drills have measured has a place of its own.
const FACTS: readonly FactOf[] = [healthFact, checksFact, drillsFact, endpointFact, etcdFact, appliedFact];
