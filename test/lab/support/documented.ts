import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ROOT } from './root.js';

/**
 * The commands of a numbered procedure in docs/, so that a test runs what a person at three in the morning copies.
 *
 * @param file its name in docs/
 * @param opening words of the paragraph that the numbered steps follow
 * @returns one script a step, in order; '' for a step without a block of commands
 */
export async function documentedSteps(file: string, opening: string): Promise<string[]> {
  const text = await readFile(join(ROOT, 'docs', file), 'utf8');
  const start = text.indexOf(opening);
  if (start < 0) throw new Error(`docs/${file} does not say "${opening}" any more`);
  // Until the next heading, and with the first step at the beginning of a line like the others.
  const [procedure = ''] = text.slice(start).split(/^#/m);
  const steps = procedure.split(/^\d+\. /m).slice(1);
  return steps.map((step) =>
    step
      .split('\n')
      .filter((line) => line.startsWith(INDENT))
      .map((line) => line.slice(INDENT.length))
      .join('\n'),
  );
}

/** Of a block of commands below a numbered step in Markdown: three for the step's text, four for the block. */
const INDENT = ' '.repeat(7);
