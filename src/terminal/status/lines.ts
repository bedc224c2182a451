import type { ProbeKind } from '../../plan/drill-report.js';
import { OPERATIONS } from '../../plan/operations.js';
import { drillNewsLines, drillRhythm } from '../drill-schedules.js';
import { nounOf, rhythm, seenWhere, silenceOf, sinceWhen, VERDICT_WORDS } from '../health.js';
import type { ClusterSummary } from '../json/status.js';
import { elapsed, plural, printable, utcMinute, wrap } from '../text.js';
import { paintLine, type Theme } from '../theme.js';
import type { Line, StyleName } from '../types.js';
import { hostLines } from './hosts.js';

export interface StatusOptions {
  theme: Theme;
  columns: number;
  /** Milliseconds since the epoch. */
  now: number;
}

/** Width of the names of facts. */
const LABEL = 10;
/** Findings that are named, and differences: one screen has to do. */
const NAMED = 5;

/**
 * How a cluster stands, for people: what Temporal knows, then the hosts by role, then what could not be seen. Pure. What stands above
 * it, the operation and its steps, is `renderFrame`'s.
 */
export function statusLines(summary: ClusterSummary, options: StatusOptions): string[] {
  // In the order in which they are read at night.
  const facts = [healthFact, checksFact, drillFact, drillsFact, endpointFact, etcdFact, appliedFact, fileFact];
  const lines = [
    ...facts.flatMap((fact) => fact(summary, options)),
    ...hostLines(summary, options.theme),
    ...notKnownLines(summary, options),
  ];
  return lines.map((line) => paintLine(line, options.theme, options.columns));
}

type Fact = (summary: ClusterSummary, options: StatusOptions) => Line[];

const healthFact: Fact = ({ health }, { theme, now, columns }) => {
  if (health === undefined) return [];
  const { verdict, at, findings, more = 0, during } = health;
  const count = findings.length + more;
  const isWell = verdict === 'ok';
  const sign = `${isWell ? theme.symbols.done : theme.symbols.failed} `;
  const found = count === 0 ? '' : `: ${plural(count, 'finding')}`;
  const text = `${VERDICT_WORDS[verdict].replace(/^is /, '')}${found} (${utcMinute(at)} UTC, ${elapsed(now - at)} ago)`;
  const named = findings.slice(0, NAMED);
  const rest = count - named.length;
  return [
    fact('health', [
      { text: sign, style: isWell ? 'good' : 'bad' },
      { text, ...(isWell ? {} : { style: 'strong' as const }) },
    ]),
    ...named.map((finding): Line => {
      const where = `${seenWhere(finding)}${sinceWhen(finding, { at })}`;
      return below([{ text: `${finding.code} `, style: 'bad' }, { text: where }]);
    }),
    ...(count === 0
      ? []
      : sentence(`${rest > 0 ? `and ${rest} more; ` : ''}\`kubewright health\` says what to do`, columns)),
    ...(during === undefined ? [] : sentence(`${nounOf(during.operation)} was under way meanwhile`, columns)),
  ];
};

const checksFact: Fact = ({ schedule, silentSince, silentDepth, heldBy, differences }, { columns }) => [
  ...(schedule === undefined ? [] : [fact('checks', [{ text: rhythm(schedule) }])]),
  ...(heldBy === undefined
    ? []
    : sentence(
        `left out while ${nounOf(heldBy.operation)} holds the cluster, since ${utcMinute(heldBy.since)} UTC`,
        columns,
      )),
  ...silenceOf(schedule, { silentSince, silentDepth }, differences?.file ?? 'cluster.yaml').flatMap((text) =>
    sentence(text, columns, 'bad'),
  ),
];

/** What a question of a drill is called where there is little room. */
const ASKED: Record<ProbeKind, string> = { version: 'API', read: 'reads', write: 'writes', dns: 'DNS' };

const drillFact: Fact = ({ drill }, { now, columns }) => {
  if (drill === undefined) return [];
  const { at, scenarios, problems = [] } = drill;
  const when = `${utcMinute(at)} UTC, ${elapsed(Math.max(0, now - at))} ago`;
  const gaps = scenarios.map(({ scenario, victim, gaps: all }): Line => {
    const longest = all.map(({ kind, gapMs }) => `${ASKED[kind]} ${gapMs} ms`).join(', ');
    return below([{ text: `${scenario} (${victim}): `, style: 'faint' }, { text: longest }]);
  });
  const measured = scenarios.length === 0 ? 'nothing measured' : 'the longest gaps';
  return [
    fact('drill', [{ text: `${measured} (${when})` }]),
    ...gaps,
    ...(problems.length === 0
      ? []
      : sentence(`${plural(problems.length, 'problem')}; \`kubewright drill history\` says which`, columns, 'bad')),
  ];
};

const drillsFact: Fact = ({ drills }, { columns }) => {
  if (drills?.schedule === undefined) return [];
  return [
    fact('drills', [{ text: drillRhythm(drills.schedule) }]),
    ...drillNewsLines(drills).flatMap((text) => sentence(text, columns, 'bad')),
  ];
};

const endpointFact: Fact = ({ endpoint, virtualIpHolders: holders }) => {
  if (endpoint === undefined) return [];
  const held = holders === undefined ? [] : holderSpans(holders);
  return [fact('endpoint', [{ text: endpoint }, ...held])];
};

function holderSpans(holders: string[]): Line {
  if (holders.length === 1) return [{ text: ', held by ' }, { text: holders[0] ?? '', style: 'strong' }];
  const text = holders.length === 0 ? ', held by nobody' : `, held by ${holders.join(' and ')} at the same time`;
  return [{ text, style: 'bad' }];
}

const etcdFact: Fact = ({ etcdLeader, snapshot }, { now, columns }) => {
  const led: Line = etcdLeader === undefined ? [] : [{ text: 'led by ' }, { text: etcdLeader, style: 'strong' }];
  const lines = led.length === 0 ? [] : [fact('etcd', led)];
  if (snapshot === undefined) return lines;
  const text = `newest snapshot ${utcMinute(snapshot.at)} UTC, ${elapsed(Math.max(0, now - snapshot.at))} ago, on ${snapshot.host}`;
  return lines.length === 0 ? [fact('etcd', [{ text }])] : [...lines, ...sentence(text, columns)];
};

const appliedFact: Fact = ({ applied, givenBackAt }, { columns }) => {
  if (givenBackAt !== undefined) {
    return [fact('applied', [{ text: `nothing: a reset has given its hosts back (${utcMinute(givenBackAt)} UTC)` }])];
  }
  if (applied === undefined) return [];
  const { version, hosts, generation, build, at, from, operation = 'install' } = applied;
  const what = `Kubernetes ${version} on ${plural(hosts, 'host')}`;
  const when = `${utcMinute(at)} UTC`;
  const record = generation === undefined ? '' : `generation ${generation}, by kubewright ${build}; `;
  const told =
    from === 'record'
      ? `read from the control planes ${when}`
      : `as the ${OPERATIONS[operation].words.noun} was started that ended ${when}; no check has read the record since`;
  return [fact('applied', [{ text: what }]), ...sentence(`${record}${told}`, columns)];
};

const fileFact: Fact = ({ differences }, { theme, columns }) => {
  if (differences === undefined) return [];
  const { file, lines } = differences;
  if (lines.length === 0) return [fact('file', [{ text: `${file} says what was applied` }])];
  const rest = lines.length - NAMED;
  return [
    fact('file', [
      { text: `${file} differs from what was applied: ${plural(lines.length, 'difference')}`, style: 'warn' },
    ]),
    ...lines.slice(0, NAMED).map((line) => below([{ text: line.replaceAll('→', theme.symbols.change) }])),
    ...sentence(
      `${rest > 0 ? `and ${rest} more; ` : ''}\`kubewright plan ${file}\` says what becomes of them`,
      columns,
    ),
  ];
};

function notKnownLines({ notKnown }: ClusterSummary, { columns }: StatusOptions): Line[] {
  if (notKnown.length === 0) return [];
  return [
    [{ text: 'not known', style: 'warn' }],
    ...notKnown.flatMap(({ what, why }) =>
      wrap(printable(`${what}: ${why}`), Math.max(20, columns - 4)).map(
        (text, index): Line => [{ text: `${index === 0 ? '  ' : '    '}${text}` }],
      ),
    ),
  ];
}

function fact(label: string, value: Line): Line {
  return [{ text: label.padEnd(LABEL), style: 'faint' }, ...value];
}

function below(value: Line): Line {
  return [{ text: ' '.repeat(LABEL) }, ...value];
}

/** Sentences are never cut: what is cut off is what a person has to know. */
function sentence(text: string, columns: number, style?: StyleName): Line[] {
  const width = Math.max(20, columns - LABEL);
  return wrap(printable(text), width).map((part) =>
    below([style === undefined ? { text: part } : { text: part, style }]),
  );
}
