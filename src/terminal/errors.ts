import { formatProblem, isClusterFileError } from '../cluster/problem.js';
import { isKubewrightError, type KubewrightError, messageOf } from '../errors.js';
import type { ErrorObject } from './json/common.js';
import { lastLines, wrap } from './text.js';
import { paintLine, type Theme } from './theme.js';
import type { Line } from './types.js';

/** Lines of a command's output shown with an error: the cause stands at the end. */
const OUTPUT_LINES = 20;

/** An error for people: what happened, where, the last lines, what to do next. Never a stack trace. */
export function errorLines(error: unknown, theme: Theme, columns = 100): string[] {
  const facts = isKubewrightError(error) ? error : undefined;
  const width = Math.max(20, columns - INDENT.length);
  const label = facts === undefined ? 'error: ' : `error ${facts.code}: `;
  const [first = '', ...more] = messageOf(error)
    .split('\n')
    .flatMap((part, index) => wrap(part, index === 0 ? columns - label.length : width));
  const lines: Line[] = [
    [
      { text: label, style: 'bad' },
      { text: first, style: 'strong' },
    ],
  ];
  for (const text of more) lines.push([{ text: `${INDENT}${text}`, style: 'strong' }]);
  if (facts !== undefined) lines.push(...placeLines(facts), ...outputLines(facts, theme), ...hintLines(facts, width));
  // All problems of a file come first, each from the first column on: editors and terminals make links of file:line:column.
  const problems = isClusterFileError(error) ? error.problems.map(formatProblem) : [];
  return [...problems, ...lines.map((line) => paintLine(line, theme))];
}

const INDENT = '  ';

function placeLines({ host, step }: KubewrightError): Line[] {
  const places = [...(host === undefined ? [] : [`host ${host}`]), ...(step === undefined ? [] : [`step ${step}`])];
  return places.length === 0 ? [] : [[{ text: `${INDENT}${places.join(', ')}`, style: 'faint' }]];
}

function outputLines(error: KubewrightError, theme: Theme): Line[] {
  if (error.output === undefined || isClusterFileError(error)) return [];
  return lastLines(error.output, OUTPUT_LINES).map((text) => [
    { text: `${INDENT}${theme.symbols.quote} `, style: 'faint' },
    { text },
  ]);
}

function hintLines(error: KubewrightError, width: number): Line[] {
  return wrap(error.hint ?? '', width).map((text) => [{ text: `${INDENT}${text}` }]);
}

/** An error for machines, as one object of the `--json` stream. */
export function errorEvent(error: unknown): ErrorObject {
  if (!isKubewrightError(error)) return { type: 'error', message: messageOf(error) };
  const { code, message, host, step, hint, output } = error;
  const problems = isClusterFileError(error) ? error.problems : undefined;
  return { type: 'error', code, message, host, step, hint, output: problems ? undefined : output, problems };
}
