import type { HealthFinding } from './run.js';

/** How a cluster is, the best first. `unknown`: nothing could be looked at, so nobody can say. */
export const HEALTH_VERDICTS = ['ok', 'unknown', 'degraded', 'down'] as const;

/** How a cluster is. */
export type HealthVerdict = (typeof HEALTH_VERDICTS)[number];

/** What a health check looks at, in the order in which it is shown. */
export const HEALTH_COMPONENTS = ['api', 'endpoint', 'etcd', 'nodes', 'dns', 'network', 'hosts'] as const;

/** What a finding is about. */
export type HealthComponent = (typeof HEALTH_COMPONENTS)[number];

/**
 * What a finding means for the whole. `down`: nobody can work with the cluster. `degraded`: it serves, with less than it should
 * have. `blind`: it was not seen, for whoever would know could not be asked. `aside`: the cluster is none the worse for it.
 */
type Severity = 'down' | 'degraded' | 'blind' | 'aside';

/** The one table of what findings mean. A code that is not in it is `degraded`, and about what its look is about. */
const MEANINGS: Readonly<Record<string, { component?: HealthComponent; severity: Severity }>> = {
  // Nothing but the look itself was wrong: no connection, no answer in time, an error of our own.
  KW433: { severity: 'blind' },
  KW434: { severity: 'blind' },
  KW499: { severity: 'blind' },
  KW476: { component: 'etcd', severity: 'degraded' },
  KW481: { component: 'nodes', severity: 'degraded' },
  KW482: { component: 'endpoint', severity: 'degraded' },
  KW483: { component: 'dns', severity: 'degraded' },
  KW484: { component: 'dns', severity: 'degraded' },
  KW493: { component: 'nodes', severity: 'degraded' },
  KW689: { component: 'dns', severity: 'degraded' },
  KW601: { component: 'api', severity: 'degraded' },
  KW602: { component: 'dns', severity: 'blind' },
  KW603: { component: 'hosts', severity: 'degraded' },
  // One question of many to a host; what else was asked there was answered.
  KW642: { component: 'hosts', severity: 'degraded' },
  KW660: { component: 'etcd', severity: 'degraded' },
  KW661: { component: 'etcd', severity: 'degraded' },
  KW662: { component: 'etcd', severity: 'degraded' },
  KW663: { component: 'etcd', severity: 'degraded' },
  KW665: { component: 'nodes', severity: 'degraded' },
  KW666: { component: 'etcd', severity: 'degraded' },
  KW667: { component: 'etcd', severity: 'degraded' },
  KW669: { component: 'etcd', severity: 'degraded' },
  KW680: { component: 'endpoint', severity: 'down' },
  KW681: { component: 'endpoint', severity: 'blind' },
  KW682: { component: 'etcd', severity: 'down' },
  KW683: { component: 'etcd', severity: 'blind' },
  KW684: { component: 'nodes', severity: 'blind' },
  KW687: { component: 'network', severity: 'degraded' },
  KW688: { component: 'network', severity: 'blind' },
  // Somebody could not be told of the verdict.
  KW686: { severity: 'aside' },
};

/** What looks are about, by the second part of their ids. */
const LOOKS: Readonly<Record<string, HealthComponent>> = {
  'api-server': 'api',
  endpoint: 'endpoint',
  etcd: 'etcd',
  nodes: 'nodes',
  dns: 'dns',
  'outside-names': 'dns',
  'pod-network': 'network',
  host: 'hosts',
};

/** A finding as far as its meaning goes. */
type Found = Pick<HealthFinding, 'code' | 'look'>;

/** What a finding is about: as the table says, else as its look says, else the host. */
export function componentOf({ code, look }: Found): HealthComponent {
  return MEANINGS[code]?.component ?? aboutLook(look ?? '') ?? 'hosts';
}

/** What a look of the plan is about. */
export function aboutLook(id: string): HealthComponent | undefined {
  return LOOKS[id.split('/').at(-1) ?? ''];
}

/** Whether a finding says that it could not be looked: then nothing that it does not name is known to be well. */
export function isBlind(finding: Found): boolean {
  return severityOf(finding) === 'blind';
}

/** Whether a finding says nothing of the cluster itself. */
export function isAside(finding: Found): boolean {
  return severityOf(finding) === 'aside';
}

function severityOf({ code }: Found): Severity {
  // KW2xx: the host could not be reached or logged into.
  return MEANINGS[code]?.severity ?? (code.startsWith('KW2') ? 'blind' : 'degraded');
}

/** What a check looked at, and came to. */
export interface Looked {
  /** Ids of its looks. */
  looks: readonly string[];
  /** Ids of those that could not be taken to their end. */
  failed: readonly string[];
  findings: readonly Found[];
  /** How many more findings there were. */
  more: number;
}

/** How the cluster is, as a check has found it. Pure. */
export function verdictOf({ looks, failed, findings: all, more }: Looked): HealthVerdict {
  const findings = all.filter((finding) => !isAside(finding));
  if (findings.some((finding) => severityOf(finding) === 'down')) return 'down';
  if (looks.length > 0 && sighted({ looks, failed, findings }).length === 0) return 'unknown';
  return findings.length + more === 0 ? 'ok' : 'degraded';
}

/** The verdict on each component that was looked at; on `hosts` wherever something was found. Pure. */
export function componentVerdicts(looked: Looked): Partial<Record<HealthComponent, HealthVerdict>> {
  const verdicts: Partial<Record<HealthComponent, HealthVerdict>> = {};
  for (const component of HEALTH_COMPONENTS) {
    const isItsOwn = (id: string): boolean => (aboutLook(id) ?? 'hosts') === component;
    const findings = looked.findings.filter((finding) => !isAside(finding) && componentOf(finding) === component);
    // A look at a host may tell of its member of etcd, which it has seen then, whatever could be asked elsewhere.
    const others = findings.flatMap(({ look }) => (look === undefined ? [] : [look]));
    const looks = [...new Set([...looked.looks.filter(isItsOwn), ...others])];
    if (looks.length === 0 && findings.length === 0) continue;
    verdicts[component] = verdictOf({ looks, findings, failed: looked.failed.filter(isItsOwn), more: 0 });
  }
  return verdicts;
}

/** The worse one of two verdicts. */
export function worse(one: HealthVerdict, other: HealthVerdict): HealthVerdict {
  return HEALTH_VERDICTS.indexOf(other) > HEALTH_VERDICTS.indexOf(one) ? other : one;
}

/** Looks that have seen something: neither did they fail, nor is all that they say that nobody could be asked. */
function sighted({ looks, failed, findings }: Omit<Looked, 'more'>): string[] {
  const blind = new Set(failed);
  const seeing = new Set<string>();
  for (const finding of findings) {
    const look = finding.look ?? '';
    if (isBlind(finding)) blind.add(look);
    else seeing.add(look);
  }
  return looks.filter((id) => !failed.includes(id) && (seeing.has(id) || !blind.has(id)));
}
