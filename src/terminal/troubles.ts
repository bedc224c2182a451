import type { BlockedStep } from '../workflows/types.js';
import { alike } from './alike.js';
import { blockedInShort, blockedLines, type FailedStep, failedInShort, failedLines } from './blocked.js';
import { plural } from './text.js';
import type { Theme } from './theme.js';
import type { InstallView, Line } from './types.js';

/** What went wrong at one moment, each cause once, those of most steps first. */
export interface Troubles {
  cluster: string;
  blocked: readonly BlockedStep[];
  blockedGroups: BlockedStep[][];
  failedGroups: FailedStep[][];
}

/** Sorts what went wrong by its causes. */
export function troublesOf({ progress, addresses }: InstallView): Troubles {
  const { cluster, blocked, steps } = progress;
  const failed = steps.flatMap(({ id, failed }): FailedStep[] =>
    failed === undefined ? [] : [{ step: id, ...failed }],
  );
  return { cluster, blocked, blockedGroups: alike(blocked, addresses), failedGroups: alike(failed, addresses) };
}

export interface TroubleOptions {
  theme: Theme;
  columns: number;
  /** Milliseconds since the epoch. */
  now: number;
  /** How many of the last lines of output are shown. */
  outputLines: number;
  /** How many causes are told in full, and how many more by a line each. */
  full: number;
  short: number;
}

/** All of it for people: blocked steps, then tries that failed and are followed by another one. */
export function troubleLines(
  { cluster, blocked, blockedGroups, failedGroups }: Troubles,
  options: TroubleOptions,
): Line[] {
  const { theme } = options;
  const how = { cluster, ...options };
  return [
    ...told(blockedGroups, options, {
      whole: (group) => blockedLines(group, blocked, theme, how),
      inShort: (group) => blockedInShort(group, theme, how),
    }),
    ...told(failedGroups, options, {
      whole: (group) => failedLines(group, theme, how),
      inShort: (group) => failedInShort(group),
    }),
  ];
}

interface Teller<T> {
  whole: (group: T[]) => Line[];
  inShort: (group: T[]) => Line;
}

function told<T>(groups: T[][], { full, short }: TroubleOptions, { whole, inShort }: Teller<T>): Line[] {
  const lines = groups.slice(0, full).flatMap((group) => [...whole(group), []]);
  const others = groups.slice(full, full + short).map(inShort);
  const untold = groups.slice(full + short);
  if (untold.length > 0) {
    const steps = untold.reduce((sum, group) => sum + group.length, 0);
    const causes = plural(untold.length, 'more cause');
    others.push([
      { text: `… and ${causes} (${plural(steps, 'step')}): kubewright status --json shows all`, style: 'faint' },
    ]);
  }
  return others.length === 0 ? lines : [...lines, ...others, []];
}
