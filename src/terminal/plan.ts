import type { Finding } from '../activities/look.js';
import { type Cluster, hostsOf } from '../cluster/types.js';
import { pad, plural } from './text.js';
import { paintLine, type Theme } from './theme.js';
import { ALL_HOSTS } from './tree.js';
import type { Line } from './types.js';

/** One sentence on a cluster: `demo, Kubernetes 1.34.3: 3 control planes with stacked etcd, 2 workers, API at 10.88.0.100:8443`. */
export function describeCluster(cluster: Cluster): string {
  const etcd = hostsOf(cluster, 'etcd').length;
  const counts = [
    `${plural(hostsOf(cluster, 'control-plane').length, 'control plane')}${etcd === 0 ? ' with stacked etcd' : ''}`,
    ...(etcd === 0 ? [] : [plural(etcd, 'etcd host')]),
    plural(hostsOf(cluster, 'worker').length, 'worker'),
  ];
  const { vip, port } = cluster.endpoint;
  return `${cluster.name}, Kubernetes ${cluster.kubernetes.version}: ${counts.join(', ')}, API at ${vip}:${port}`;
}

/** What a plan would do, host by host, for people. Changes of a step stand below it, one a line. */
export function planLines(cluster: Cluster, findings: Finding[], theme: Theme, columns: number): string[] {
  const lines: Line[] = [[{ text: describeCluster(cluster), style: 'strong' }], []];
  for (const host of cluster.hosts) {
    const own = findings.filter((finding) => finding.step.host === host.name);
    const place = host.role === 'etcd' ? 'etcd' : host.role === 'worker' ? 'worker' : 'control plane';
    lines.push([
      { text: host.name, style: 'strong' },
      { text: `  ${host.address}  ${place}`, style: 'faint' },
    ]);
    lines.push(...hostLines(own, theme), []);
  }
  lines.push([{ text: ALL_HOSTS, style: 'strong' }]);
  lines.push(...findings.filter((finding) => finding.step.host === null).flatMap((one) => stepLines(one, theme)), []);
  return [...lines.map((line) => paintLine(line, theme, columns)), ...summaryLines(findings)];
}

/** An unreachable host says so once. */
function hostLines(findings: Finding[], theme: Theme): Line[] {
  const [first] = findings;
  if (first?.state === 'problem' && findings.every((one) => one.state === 'problem' && one.error === first.error)) {
    return problemLines('', first.error.message, first.error.hint, theme);
  }
  return findings.flatMap((finding) => stepLines(finding, theme));
}

const VERB_COLUMNS = 18;

function stepLines(finding: Finding, theme: Theme): Line[] {
  const { step } = finding;
  const verb = pad(step.id.slice(step.id.indexOf('/') + 1), VERB_COLUMNS);
  switch (finding.state) {
    case 'true':
      return [
        [{ text: `  ${theme.symbols.done} `, style: 'good' }, { text: verb }, { text: finding.found, style: 'faint' }],
        ...finding.warnings.map(warningLine),
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
        ...finding.warnings.map(warningLine),
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
      const { error, warnings = [] } = finding;
      return [...problemLines(verb, error.message, error.hint, theme), ...warnings.map(warningLine)];
    }
  }
}

function warningLine(warning: string): Line {
  return [{ text: `    ${pad('', VERB_COLUMNS)}warning: `, style: 'warn' }, { text: warning }];
}

/** Several problems of one host are one message of several lines (see `preflightError`). */
function problemLines(verb: string, message: string, hint: string | undefined, theme: Theme): Line[] {
  const [first = '', ...others] = message.split('\n');
  const indent = `    ${pad('', verb === '' ? 0 : VERB_COLUMNS)}`;
  return [
    [{ text: `  ${theme.symbols.blocked} `, style: 'bad' }, { text: verb }, { text: first }],
    ...[...others, ...(hint === undefined ? [] : [hint])].map((text): Line => [{ text: `${indent}${text}` }]),
  ];
}

export interface PlanSummary {
  true: number;
  toDo: number;
  later: number;
  problems: number;
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
export function findingEvent(finding: Finding): Record<string, unknown> {
  const { id, host, phase, title } = finding.step;
  const base = { type: 'finding', step: id, host, phase, title, state: finding.state };
  if (finding.state === 'problem') {
    const { code, message, hint } = finding.error;
    return { ...base, code, message, hint };
  }
  if (finding.state === 'later') return { ...base, after: finding.after };
  const { found, warnings } = finding;
  return { ...base, found, changes: finding.state === 'to-do' ? finding.changes : [], warnings };
}
