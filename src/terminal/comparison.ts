import { type Comparison, differenceText, grouped, type Verdict } from '../activities/applied/difference.js';
import type { Finding } from '../activities/look.js';
import type { DifferenceObject, UncheckedObject } from './json/hosts.js';
import { wrap } from './text.js';
import type { Theme } from './theme.js';
import type { Line, StyleName } from './types.js';

const STYLES: Record<Verdict, StyleName> = { install: 'busy', stays: 'faint', refused: 'bad', never: 'bad' };

/** cluster.yaml against the living cluster, by what becomes of each difference; nothing where there is nothing to tell. */
export function comparisonLines(findings: Finding[], theme: Theme, columns: number): Line[] {
  const comparison = comparisonIn(findings);
  if (comparison === undefined) return [];
  const { differences, unchecked } = comparison;
  if (differences.length === 0 && unchecked.length === 0) return [];
  const groups = grouped(differences).flatMap(({ head, differences: ones }): Line[] => {
    const verdict = ones[0]?.verdict ?? 'stays';
    const sign =
      verdict === 'install'
        ? theme.symbols.running
        : verdict === 'stays'
          ? theme.symbols.waiting
          : theme.symbols.blocked;
    return [
      ...headed(sign, STYLES[verdict], head, columns),
      ...ones.flatMap((one) => indented(differenceText(one), columns)),
    ];
  });
  const missing: Line[] = unchecked.length === 0 ? [] : headed(theme.symbols.waiting, 'faint', 'not checked', columns);
  return [
    [{ text: 'cluster.yaml against the cluster', style: 'strong' }],
    ...groups,
    ...missing,
    ...unchecked.flatMap((what) => indented(what, columns)),
    [],
  ];
}

function headed(sign: string, style: StyleName, head: string, columns: number): Line[] {
  return wrap(head, Math.max(20, columns - 4)).map((part, index) => [
    { text: index === 0 ? `  ${sign} ` : '    ', style },
    { text: part },
  ]);
}

/** Whole, however narrow the terminal: what is cut off is what a person has to know. */
function indented(text: string, columns: number): Line[] {
  return wrap(text, Math.max(20, columns - 8)).map((part, index) => [
    { text: `${index === 0 ? '      ' : '        '}${part}` },
  ]);
}

/** The same for machines: an object a difference, and one for each thing that could not be compared. */
export function comparisonEvents(findings: Finding[]): (DifferenceObject | UncheckedObject)[] {
  const { differences, unchecked } = comparisonIn(findings) ?? { differences: [], unchecked: [] };
  return [
    ...differences.map((one) => ({ type: 'difference' as const, ...one })),
    ...unchecked.map((what) => ({ type: 'unchecked' as const, what })),
  ];
}

function comparisonIn(findings: Finding[]): Comparison | undefined {
  return findings.find(({ comparison }) => comparison !== undefined)?.comparison;
}
