import type { BlockedStep, FailedTry } from '../workflows/types.js';
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
  const head: Line = [
    { text: `${theme.symbols.blocked} ${blocked.step}`, style: 'bad' },
    { text: howLong(blocked, options) },
  ];
  return [head, ...factLines(blocked, theme, options), ...commandLines(blocked, options.cluster)];
}

function howLong(blocked: BlockedStep, options: BlockedOptions): string {
  const since = elapsed(options.now - blocked.since);
  if (blocked.retrying) return `  waits for a person since ${since}, and is still tried (${blocked.code})`;
  return `  blocked for ${since} (${blocked.code}, ${blocked.tries === 1 ? '1 try' : `${blocked.tries} tries`})`;
}

function commandLines({ step, skippable, retrying }: BlockedStep, cluster: string): Line[] {
  const command = (lead: string, text: string): Line => [{ text: `    ${lead}` }, { text, style: 'busy' }];
  const lines = [command(retrying ? 'now:  ' : 'then: ', retryCommand(step, cluster))];
  if (skippable) lines.push(command('or:   ', `kubewright skip ${step} --cluster ${cluster} --reason '…'`));
  else if (retrying) lines.push(command('or:   ', `kubewright abort --cluster ${cluster} --reason '…'`));
  return lines;
}

/** A try that failed for people, while the next one follows by itself. */
export function failedLines(
  step: string,
  failed: FailedTry,
  theme: Theme,
  options: Pick<BlockedOptions, 'columns' | 'outputLines'>,
): Line[] {
  const head: Line = [
    { text: `! ${step}`, style: 'warn' },
    { text: `  failed (${failed.code}, try ${failed.tries}); it is tried again by itself` },
  ];
  return [head, ...factLines(failed, theme, options)];
}

type Facts = Pick<BlockedStep, 'host' | 'message' | 'hint' | 'output'>;

/** Continuation lines are indented as far as their first word, so that a wrapped sentence stays one block. */
function factLines(facts: Facts, theme: Theme, options: Pick<BlockedOptions, 'columns' | 'outputLines'>): Line[] {
  const width = Math.max(20, options.columns - 6);
  const output = lastLines(facts.output, options.outputLines);
  return [
    ...wrap(withHost(facts), width).map((text): Line => [{ text: `    ${text}`, style: 'strong' }]),
    ...output.map((text): Line => [{ text: `    ${theme.symbols.quote} `, style: 'faint' }, { text }]),
    ...wrap(facts.hint, width).map((text): Line => [{ text: `    ${text}` }]),
  ];
}

function withHost({ host, message }: Facts): string {
  return host === null || message.startsWith(`${host}:`) ? message : `${host}: ${message}`;
}
