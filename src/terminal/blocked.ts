import type { BlockedStep, FailedTry } from '../workflows/types.js';
import { type Trouble, verbOf } from './alike.js';
import { elapsed, fittingNames, lastLines, plural, wrap } from './text.js';
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

/** A try that failed, with the step that it was of. */
export type FailedStep = FailedTry & Pick<Trouble, 'step'>;

/** The command that goes on with one blocked step, ready to be copied. */
export function retryCommand(step: string, cluster: string): string {
  return `kubewright retry ${step} --cluster ${cluster}`;
}

/** The command that leaves one blocked step out. */
export function skipCommand(step: string, cluster: string): string {
  return `kubewright skip ${step} --cluster ${cluster} --reason '…'`;
}

/**
 * What `retry` and `skip` take in place of a name for exactly these blocked steps, quoted for a shell; undefined where it
 * would decide about others too.
 *
 * @param blocked all blocked steps of the run
 */
export function selectorOf(group: readonly BlockedStep[], blocked: readonly BlockedStep[]): string | undefined {
  const [first] = group;
  if (first === undefined) return undefined;
  if (group.length === 1) return first.step;
  if (group.length === blocked.length) return "'*'";
  return group.length === sameVerb(first, blocked).length ? everyHost(first) : undefined;
}

function sameVerb({ step }: BlockedStep, blocked: readonly BlockedStep[]): BlockedStep[] {
  return blocked.filter((other) => verbOf(other.step) === verbOf(step));
}

function everyHost({ step }: BlockedStep): string {
  return `'*/${verbOf(step)}'`;
}

/**
 * Blocked steps that share a cause, for people: what happened, where, the last lines, what to do, and the commands that go on.
 *
 * @param group one step, or more
 * @param blocked all blocked steps of the run
 */
export function blockedLines(
  group: readonly BlockedStep[],
  blocked: readonly BlockedStep[],
  theme: Theme,
  options: BlockedOptions,
): Line[] {
  const first = earliest(group);
  if (first === undefined) return [];
  return [
    blockedHead(group, theme, options),
    ...factLines(first, theme, options),
    ...placeLines(group, options),
    ...commandLines(group, blocked, options.cluster),
  ];
}

/** The first line of these alone, with what happened behind it. */
export function blockedInShort(group: readonly BlockedStep[], theme: Theme, options: BlockedOptions): Line {
  const message = group[0] === undefined ? '' : withHost(group[0]);
  return [...blockedHead(group, theme, options), { text: `: ${message}` }];
}

/** A step that blocks for the same reason as one that was told before. */
export function blockedLike({ step, code }: BlockedStep, told: string, theme: Theme): Line {
  return [
    { text: `${theme.symbols.blocked} ${step}`, style: 'bad' },
    { text: `  blocked (${code}), as ${told} above` },
  ];
}

function blockedHead(group: readonly BlockedStep[], theme: Theme, options: Pick<BlockedOptions, 'now'>): Line {
  const text = `${theme.symbols.blocked} ${whatAndWhere(group)}`;
  return [{ text, style: 'bad' }, { text: howLong(group, options.now) }];
}

/** `cp-2/join`, or `join on 60 hosts`. */
function whatAndWhere(group: readonly Pick<Trouble, 'step'>[]): string {
  const step = group[0]?.step ?? '';
  return group.length === 1 ? step : `${verbOf(step)} on ${plural(group.length, 'host')}`;
}

function howLong(group: readonly BlockedStep[], now: number): string {
  const first = earliest(group);
  if (first === undefined) return '';
  const since = elapsed(now - first.since);
  if (first.retrying)
    return `  ${waits(group)} for a person since ${since}, and ${is(group)} still tried (${first.code})`;
  const isSame = group.every(({ tries }) => tries === first.tries);
  const tries = isSame ? `, ${first.tries === 1 ? '1 try' : `${first.tries} tries`}` : '';
  return `  blocked for ${since} (${first.code}${tries})`;
}

const waits = (group: readonly unknown[]): string => (group.length === 1 ? 'waits' : 'wait');
const is = (group: readonly unknown[]): string => (group.length === 1 ? 'is' : 'are');

function earliest<T extends { since: number }>(group: readonly T[]): T | undefined {
  return group.reduce<T | undefined>(
    (first, one) => (first === undefined || one.since < first.since ? one : first),
    undefined,
  );
}

function commandLines(group: readonly BlockedStep[], blocked: readonly BlockedStep[], cluster: string): Line[] {
  const command = (lead: string, text: string, note = ''): Line => [
    { text: `    ${lead}` },
    { text, style: 'busy' },
    ...(note === '' ? [] : [{ text: note, style: 'faint' as const }]),
  ];
  const [first] = group;
  if (first === undefined) return [];
  const selector = selectorOf(group, blocked);
  const lines = [command(first.retrying ? 'now:  ' : 'then: ', retryCommand(selector ?? first.step, cluster))];
  if (selector === undefined) {
    const note = `  # all ${sameVerb(first, blocked).length} that are blocked there, whatever the cause`;
    lines.push(command('all:  ', retryCommand(everyHost(first), cluster), note));
  }
  const skippable = group.filter((step) => step.skippable);
  const skipped = skippable.length === group.length ? (selector ?? first.step) : skippable[0]?.step;
  if (skipped !== undefined) lines.push(command('or:   ', skipCommand(skipped, cluster)));
  else if (first.retrying) lines.push(command('or:   ', `kubewright abort --cluster ${cluster} --reason '…'`));
  return lines;
}

/** Tries that failed for the same reason, for people, while the next ones follow by themselves. */
export function failedLines(
  group: readonly FailedStep[],
  theme: Theme,
  options: Pick<BlockedOptions, 'columns' | 'outputLines'>,
): Line[] {
  const [first] = group;
  if (first === undefined) return [];
  return [failedHead(group), ...factLines(first, theme, options), ...placeLines(group, options)];
}

/** The first line of these alone, with what happened behind it. */
export function failedInShort(group: readonly FailedStep[]): Line {
  const message = group[0] === undefined ? '' : withHost(group[0]);
  return [...failedHead(group), { text: `: ${message}` }];
}

/** A try that failed for the same reason as one that was told before. */
export function failedLike({ step, code, tries }: FailedStep, told: string): Line {
  return [{ text: `! ${step}`, style: 'warn' }, { text: `  failed (${code}, try ${tries}), as ${told} above` }];
}

function failedHead(group: readonly FailedStep[]): Line {
  const [first] = group;
  const isSame = group.every(({ tries }) => tries === first?.tries);
  const again = group.length === 1 ? 'it is tried again by itself' : 'they are tried again by themselves';
  return [
    { text: `! ${whatAndWhere(group)}`, style: 'warn' },
    { text: `  failed (${first?.code}${isSame ? `, try ${first?.tries}` : ''}); ${again}` },
  ];
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

/** Rows that the names of the hosts take which share a cause. */
const NAME_ROWS = 2;

/** Which hosts share the cause; nothing for a single one, which is named already. */
function placeLines(
  group: readonly Pick<Trouble, 'step' | 'host'>[],
  { columns }: Pick<BlockedOptions, 'columns'>,
): Line[] {
  if (group.length === 1) return [];
  const names = group.map(({ host, step }) => host ?? step);
  const rows = fittingNames(names, Math.max(20, columns - 10), NAME_ROWS);
  return rows.map((text, index): Line => [{ text: index === 0 ? '    on:   ' : '          ' }, { text }]);
}

function withHost({ host, message }: Facts): string {
  return host === null || message.startsWith(`${host}:`) ? message : `${host}: ${message}`;
}
