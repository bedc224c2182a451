import type { Finding } from '../activities/look.js';
import { listed } from '../activities/prepare/checks/problem.js';
import { type Cluster, hostsOf } from '../cluster/types.js';
import type { KubewrightError } from '../errors.js';
import { endpointOf } from '../render/kubeadm.js';
import { verbOf } from './alike.js';
import { comparisonLines } from './comparison.js';
import type { FindingObject, PlanSummary } from './json/hosts.js';
import { pad, plural, wrap } from './text.js';
import { paintLine, type Theme } from './theme.js';
import { ALL_HOSTS } from './tree.js';
import type { Line } from './types.js';

/** One sentence on a cluster: `demo, Kubernetes 1.34.3: 3 control planes with stacked etcd, 2 workers, API at 10.88.0.100:8443`. */
export function describeCluster(cluster: Cluster): string {
  const etcd = hostsOf(cluster, 'etcd').length;
  const directors = hostsOf(cluster, 'director').length;
  const counts = [
    `${plural(hostsOf(cluster, 'control-plane').length, 'control plane')}${etcd === 0 ? ' with stacked etcd' : ''}`,
    ...(etcd === 0 ? [] : [plural(etcd, 'etcd host')]),
    plural(hostsOf(cluster, 'worker').length, 'worker'),
    ...(directors === 0 ? [] : [plural(directors, 'director')]),
  ];
  return `${cluster.name}, Kubernetes ${cluster.kubernetes.version}: ${counts.join(', ')}, API at ${endpointOf(cluster)}`;
}

/**
 * What a plan would do, host by host, for people. Changes of a step stand below it, one a line. A warning that several
 * hosts give in the same words is said once, behind them all.
 */
export function planLines(cluster: Cluster, findings: Finding[], theme: Theme, columns: number): string[] {
  const lines: Line[] = [[{ text: describeCluster(cluster), style: 'strong' }], []];
  const shared = sharedWarnings(findings);
  for (const host of cluster.hosts) {
    const own = findings.filter((finding) => finding.step.host === host.name).map((one) => without(one, shared));
    const place = host.role === 'control-plane' ? 'control plane' : host.role;
    lines.push([
      { text: host.name, style: 'strong' },
      { text: `  ${host.address}  ${place}`, style: 'faint' },
    ]);
    lines.push(...hostLines(own, theme, columns), []);
  }
  if (shared.size > 0) lines.push([{ text: 'several hosts', style: 'strong' }]);
  for (const [warning, hosts] of shared) lines.push(...warningLines(`${listed(hosts)}: ${warning}`, columns, '  '));
  if (shared.size > 0) lines.push([]);
  lines.push([{ text: ALL_HOSTS, style: 'strong' }]);
  const together = findings.filter((finding) => finding.step.host === null);
  lines.push(...together.flatMap((one) => stepLines(one, theme, columns)), []);
  lines.push(...comparisonLines(findings, theme, columns));
  return [...lines.map((line) => paintLine(line, theme, columns)), ...summaryLines(findings)];
}

/** Warnings that more than one host gives, with the names of these. */
function sharedWarnings(findings: Finding[]): Map<string, string[]> {
  const hosts = new Map<string, string[]>();
  for (const finding of findings) {
    const { host } = finding.step;
    if (host === null) continue;
    for (const warning of warningsOf(finding)) hosts.set(warning, [...(hosts.get(warning) ?? []), host]);
  }
  return new Map([...hosts].filter(([, names]) => new Set(names).size > 1));
}

function warningsOf(finding: Finding): string[] {
  return finding.state === 'later' ? [] : (finding.warnings ?? []);
}

function without(finding: Finding, shared: Map<string, string[]>): Finding {
  if (finding.state === 'later') return finding;
  return { ...finding, warnings: warningsOf(finding).filter((warning) => !shared.has(warning)) };
}

/** An unreachable host says so once. */
function hostLines(findings: Finding[], theme: Theme, columns: number): Line[] {
  const [first] = findings;
  if (first?.state === 'problem' && findings.every((one) => one.state === 'problem' && one.error === first.error)) {
    return problemLines('', first.error, theme, columns);
  }
  return findings.flatMap((finding) => stepLines(finding, theme, columns));
}

const VERB_COLUMNS = 18;

function stepLines(finding: Finding, theme: Theme, columns: number): Line[] {
  const { step } = finding;
  const warned = (warnings: string[] = []): Line[] => warnings.flatMap((warning) => warningLines(warning, columns));
  const name = verbOf(step.id);
  const verb = pad(name, Math.max(VERB_COLUMNS, name.length + 2));
  switch (finding.state) {
    case 'true':
      return [
        [{ text: `  ${theme.symbols.done} `, style: 'good' }, { text: verb }, { text: finding.found, style: 'faint' }],
        ...warned(finding.warnings),
      ];
    case 'to-do':
      return [
        [{ text: `  ${theme.symbols.running} `, style: 'busy' }, { text: verb }, { text: finding.found }],
        ...finding.changes.map(
          (change): Line => [
            { text: `    ${pad('', VERB_COLUMNS)}${theme.symbols.change} `, style: 'busy' },
            { text: change },
          ],
        ),
        ...warned(finding.warnings),
      ];
    case 'later':
      return [
        [
          { text: `  ${theme.symbols.waiting} `, style: 'faint' },
          { text: verb },
          { text: `after ${finding.after.join(', ')}`, style: 'faint' },
        ],
      ];
    case 'problem': {
      const { error, comparison } = finding;
      // What differs has a list of its own, below.
      const message = comparison === undefined ? error.message : (error.message.split('\n')[0] ?? '');
      return [...problemLines(verb, { message, hint: error.hint }, theme, columns), ...warned(finding.warnings)];
    }
  }
}

/** Sentences that a person has to read to their end are broken, not cut. */
function warningLines(warning: string, columns: number, indent = `    ${pad('', VERB_COLUMNS)}`): Line[] {
  const [first = '', ...others] = broken(warning, columns - indent.length - WARNING.length);
  return [
    [{ text: `${indent}${WARNING}`, style: 'warn' }, { text: first }],
    ...others.map((text): Line => [{ text: `${indent}${pad('', WARNING.length)}${text}` }]),
  ];
}

const WARNING = 'warning: ';

/** Several problems of one host are one message of several lines (see `preflightError`). */
function problemLines(
  verb: string,
  { message, hint }: Pick<KubewrightError, 'message' | 'hint'>,
  theme: Theme,
  columns: number,
): Line[] {
  const indent = `    ${pad('', verb === '' ? 0 : VERB_COLUMNS)}`;
  const text = hint === undefined ? message : `${message}\n${hint}`;
  const [first = '', ...others] = text.split('\n').flatMap((line) => broken(line, columns - indent.length));
  return [
    [{ text: `  ${theme.symbols.blocked} `, style: 'bad' }, { text: verb }, { text: first }],
    ...others.map((line): Line => [{ text: `${indent}${line}` }]),
  ];
}

/** A line as lines of at most so many columns, each indented as far as it is. */
function broken(line: string, columns: number): string[] {
  const indent = /^ */.exec(line)?.[0] ?? '';
  const width = Math.max(20, columns - indent.length);
  return wrap(line.trimStart(), width).map((part) => `${indent}${part}`);
}

export function summarize(findings: Finding[]): PlanSummary {
  const count = (state: Finding['state']) => findings.filter((finding) => finding.state === state).length;
  return { true: count('true'), toDo: count('to-do'), later: count('later'), problems: count('problem') };
}

function summaryLines(findings: Finding[]): string[] {
  const { true: holds, toDo, later, problems } = summarize(findings);
  const parts = [`${holds} already true`, `${toDo} to do`];
  if (later > 0) parts.push(`${later} to be looked at when others are done`);
  if (problems > 0) parts.push(`${problems} in the way`);
  return [`${plural(findings.length, 'step')}: ${parts.join(', ')}. Nothing was changed.`];
}

/** A finding for machines, as one object of the `--json` stream. */
export function findingEvent(finding: Finding): FindingObject {
  const { id, host, phase, title } = finding.step;
  const base = { type: 'finding', step: id, host, phase, title, state: finding.state } as const;
  if (finding.state === 'problem') {
    const { code, message, hint } = finding.error;
    return { ...base, code, message, hint, warnings: finding.warnings };
  }
  if (finding.state === 'later') return { ...base, after: finding.after };
  const { found, warnings } = finding;
  return { ...base, found, changes: finding.state === 'to-do' ? finding.changes : [], warnings };
}
