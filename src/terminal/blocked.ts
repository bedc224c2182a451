import type { BlockedStep } from '../workflows/types.js';
import { elapsed, lastLines, wrap } from './text.js';
import type { Theme } from './theme.js';
import type { Line } from './types.js';

export interface BlockedOptions {
  cluster: string;
  /** Milliseconds since the epoch. */
  now: number;
  columns: number;
  /** How many of the last lines of output are shown. */
  outputLines: number;
}

/** The command that goes on with one blocked step, ready to be copied. */
export function retryCommand(step: string, cluster: string): string {
  return `kubewright retry ${step} --cluster ${cluster}`;
}

/** A blocked step for people: what happened, where, the last lines, what to do, and the command that goes on. */
export function blockedLines(blocked: BlockedStep, theme: Theme, options: BlockedOptions): Line[] {
  const since = elapsed(options.now - blocked.since);
  const width = Math.max(20, options.columns - 6);
  const lines: Line[] = [
    [
      { text: `${theme.symbols.blocked} ${blocked.step}`, style: 'bad' },
      { text: `  blocked for ${since} (${blocked.code}, ${blocked.tries === 1 ? '1 try' : `${blocked.tries} tries`})` },
    ],
  ];
  // Continuation lines are indented as far as their first word, so that a wrapped sentence stays one block.
  for (const text of wrap(withHost(blocked), width)) lines.push([{ text: `    ${text}`, style: 'strong' }]);
  for (const text of lastLines(blocked.output, options.outputLines)) {
    lines.push([{ text: `    ${theme.symbols.quote} `, style: 'faint' }, { text }]);
  }
  for (const text of wrap(blocked.hint, width)) lines.push([{ text: `    ${text}` }]);
  lines.push([{ text: '    then: ' }, { text: retryCommand(blocked.step, options.cluster), style: 'busy' }]);
  if (blocked.skippable) {
    lines.push([
      { text: '    or:   ' },
      { text: `kubewright skip ${blocked.step} --cluster ${options.cluster} --reason '…'`, style: 'busy' },
    ]);
  }
  return lines;
}

function withHost(blocked: BlockedStep): string {
  if (blocked.host === null || blocked.message.startsWith(`${blocked.host}:`)) return blocked.message;
  return `${blocked.host}: ${blocked.message}`;
}
