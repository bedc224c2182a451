import type { HopReport, SshReport } from '../hosts/ssh-check.js';
import { errorLines } from './errors.js';
import type { SshObject } from './json/hosts.js';
import { duration } from './text.js';
import { paintLine, type Theme } from './theme.js';
import type { Line } from './types.js';

/** What `ssh-check` prints about one host. */
export function sshReportLines(report: SshReport, theme: Theme, columns: number): string[] {
  const { problem, login, client } = report;
  const [symbol, style] = problem
    ? ([theme.symbols.blocked, 'bad'] as const)
    : login
      ? ([theme.symbols.done, 'good'] as const)
      : ([theme.symbols.waiting, 'faint'] as const);
  const outcome = problem ? problem.code : login ? `logs in (${duration(login.durationMs)})` : 'not tried';
  const head: Line = [{ text: `${symbol} ${report.host}`, style }, { text: `  ${outcome}` }];
  const lines: Line[] = [head];
  if (client === 'openssh')
    lines.push(detail('client', "openssh: this machine's ssh and its configuration decide what is not shown"));
  for (const hop of report.hops) lines.push(...hopLines(hop));
  lines.push(detail('sudo', report.sudo));
  const painted = lines.map((line) => paintLine(line, theme));
  if (problem) painted.push(...errorLines(problem, theme, columns - 2).map((line) => `  ${line}`));
  return painted;
}

function hopLines({ name, address, port, user, agent, keys, leftOut, hostKey }: HopReport): Line[] {
  const lines = [
    detail('to', `${name} at ${address.value}${port ? ` port ${port.value}` : ''}`, sources(address, port)),
    ...(user ? [detail('  as', user.value, user.source)] : []),
    ...keys.map(({ from, key, source }, index) =>
      detail(index === 0 ? '  keys' : '', `${index + 1}. ${from}, ${key}`, source),
    ),
    ...(agent ? [detail('  agent', agent.value ?? 'none', agent.source)] : []),
    ...leftOut.map((each) => detail('  not', each)),
  ];
  if (hostKey === undefined) return lines;
  const { known, files, source } = hostKey;
  const found = known.length > 0 ? known : [`nothing on file in ${files.join(', ') || 'any file'}`];
  return [
    ...lines,
    ...found.map((each, index) => detail(index === 0 ? '  host key' : '', `${hostKey.name}: ${each}`, source)),
  ];
}

function sources(...values: ({ source: string } | undefined)[]): string {
  return [...new Set(values.flatMap((value) => (value ? [value.source] : [])))].join(', ');
}

function detail(name: string, text: string, source?: string): Line {
  return [
    { text: `    ${name.padEnd(11)}`, style: 'faint' },
    { text },
    ...(source ? [{ text: `  (${source})`, style: 'faint' as const }] : []),
  ];
}

/** The same for programs. */
export function sshReportEvent({ problem, ...report }: SshReport): SshObject {
  const event: SshObject = { type: 'ssh', ...report, ok: problem === undefined };
  if (problem === undefined) return event;
  const { code, message, hint, output } = problem;
  return { ...event, error: { code, message, hint, output } };
}
