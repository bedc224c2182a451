import { OPERATIONS } from '../plan/operations.js';
import type { RunState } from '../workflows/types.js';
import { type PhaseOptions, phaseLines } from './phases.js';
import { duration, elapsed, plural } from './text.js';
import { paintLine, type Theme } from './theme.js';
import { buildTree, finishedCount, type PhaseNode } from './tree.js';
import { type TroubleOptions, troubleLines, troublesOf } from './troubles.js';
import type { InstallView, Line, StyleName } from './types.js';

export interface FrameOptions {
  theme: Theme;
  columns: number;
  /** Lines that may be drawn. What does not fit is left out from the least important on: finished hosts first. */
  rows: number;
  /** Milliseconds since the epoch. */
  now: number;
}

const STYLES: Record<RunState, StyleName> = {
  running: 'busy',
  blocked: 'bad',
  done: 'good',
  aborted: 'bad',
  cancelled: 'bad',
};

/**
 * Draws one moment of an install as at most `rows` lines of at most `columns` columns: the blocked steps first, then the
 * phases, and below each phase that is at work its hosts with the running step and its last line of output. Pure.
 */
export function renderFrame(snapshot: InstallView, options: FrameOptions): string[] {
  const phases = buildTree(snapshot);
  const lines = compose(snapshot, phases, options);
  return lines.map((line) => paintLine(line, options.theme, options.columns));
}

/** Tries ever shorter forms until one fits; the last resort is to cut and to say so. */
function compose(snapshot: InstallView, phases: PhaseNode[], options: FrameOptions): Line[] {
  const troubles = troublesOf(snapshot);
  const head = header(snapshot, phases, options.now);
  let shortest: Line[] = [];
  for (const form of FORMS) {
    const how = { ...options, ...form };
    shortest = [head, ...troubleLines(troubles, how), ...phaseLines(phases, how)];
    if (shortest.length <= options.rows) return shortest;
  }
  const hidden = shortest.length - options.rows + 1;
  const more: Line = [{ text: `… ${plural(hidden, 'more line')}: kubewright status shows all`, style: 'faint' }];
  return [...shortest.slice(0, options.rows - 1), more];
}

type Form = Pick<TroubleOptions, 'outputLines' | 'full' | 'short'> & Pick<PhaseOptions, 'hosts'>;

/** Causes that `status` tells in full, and by a line each: who has more has a bad day, and reads one after the other. */
const CAUSES = { full: 8, short: 30 };

const FORMS: Form[] = [
  { outputLines: 5, hosts: 'all', ...CAUSES },
  { outputLines: 5, hosts: 'unfinished', ...CAUSES },
  { outputLines: 3, hosts: 'busy', ...CAUSES },
  { outputLines: 2, hosts: 'none', ...CAUSES },
  { outputLines: 2, hosts: 'none', full: 3, short: 8 },
  { outputLines: 2, hosts: 'none', full: 1, short: 3 },
];

function header(snapshot: InstallView, phases: PhaseNode[], now: number): Line {
  const { progress, operation = 'install' } = snapshot;
  const { state } = progress;
  const { doing, done } = OPERATIONS[operation].words;
  const text = state === 'running' ? doing : state === 'done' ? done : state;
  const starts = phases.flatMap((phase) => phase.startedAt ?? []);
  const ends = progress.steps.flatMap((step) => step.endedAt ?? []);
  const over = progress.state !== 'running' && progress.state !== 'blocked';
  const end = over && ends.length > 0 ? Math.max(...ends) : now;
  const nodes = phases.flatMap((phase) => phase.hosts.flatMap((host) => host.steps));
  const line: Line = [
    { text: progress.cluster, style: 'strong' },
    { text: '  ' },
    { text, style: STYLES[state] },
    { text: `  ${finishedCount(nodes)} of ${plural(nodes.length, 'step')}` },
  ];
  if (starts.length > 0) line.push({ text: `  ${(over ? duration : elapsed)(end - Math.min(...starts))}` });
  if (progress.blocked.length > 0) line.push({ text: `  ${progress.blocked.length} blocked`, style: 'bad' });
  return line;
}
