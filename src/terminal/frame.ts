import type { RunState, StepState } from '../workflows/types.js';
import { blockedLines, failedLines } from './blocked.js';
import { duration, elapsed, pad, plural } from './text.js';
import { paintLine, type Theme } from './theme.js';
import { ALL_HOSTS, buildTree, finishedCount, type HostNode, type PhaseNode, type StepNode } from './tree.js';
import type { InstallView, Line, StyleName } from './types.js';

export interface FrameOptions {
  theme: Theme;
  columns: number;
  /** Lines that may be drawn. What does not fit is left out from the least important on: finished hosts first. */
  rows: number;
  /** Milliseconds since the epoch. */
  now: number;
}

const STATE_STYLE: Record<StepState, StyleName> = {
  done: 'good',
  running: 'busy',
  waiting: 'faint',
  blocked: 'bad',
  skipped: 'warn',
  failed: 'bad',
};

const TITLE: Record<RunState, { text: string; style: StyleName }> = {
  running: { text: 'installing', style: 'busy' },
  blocked: { text: 'blocked', style: 'bad' },
  done: { text: 'installed', style: 'good' },
  aborted: { text: 'aborted', style: 'bad' },
  cancelled: { text: 'cancelled', style: 'bad' },
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
  let shortest: Line[] = [];
  for (const form of FORMS) {
    shortest = draw(snapshot, phases, options, form);
    if (shortest.length <= options.rows) return shortest;
  }
  const hidden = shortest.length - options.rows + 1;
  const more: Line = [{ text: `… ${plural(hidden, 'more line')}: kubewright status shows all`, style: 'faint' }];
  return [...shortest.slice(0, options.rows - 1), more];
}

interface Form {
  outputLines: number;
  hosts: (host: HostNode) => boolean;
}

const isBusy = (host: HostNode) => host.state === 'blocked' || host.steps.some((node) => node.step.state === 'running');

const FORMS: Form[] = [
  { outputLines: 5, hosts: () => true },
  { outputLines: 5, hosts: (host) => host.state !== 'done' && host.state !== 'skipped' },
  { outputLines: 3, hosts: isBusy },
  { outputLines: 2, hosts: () => false },
];

function draw(snapshot: InstallView, phases: PhaseNode[], options: FrameOptions, form: Form): Line[] {
  const { theme, columns, now } = options;
  const blocked = snapshot.progress.blocked.flatMap((step) => [
    ...blockedLines(step, theme, {
      cluster: snapshot.progress.cluster,
      now,
      columns,
      outputLines: form.outputLines,
    }),
    [],
  ]);
  const failed = snapshot.progress.steps.flatMap((step) =>
    step.failed === undefined ? [] : [...failedLines(step.id, step.failed, theme, { columns, ...form }), []],
  );
  return [
    header(snapshot, phases, now),
    ...blocked,
    ...failed,
    ...phases.flatMap((phase) => phaseLines(phase, options, form)),
  ];
}

function header(snapshot: InstallView, phases: PhaseNode[], now: number): Line {
  const { progress } = snapshot;
  const title = TITLE[progress.state];
  const starts = phases.flatMap((phase) => phase.startedAt ?? []);
  const ends = progress.steps.flatMap((step) => step.endedAt ?? []);
  const over = progress.state !== 'running' && progress.state !== 'blocked';
  const end = over && ends.length > 0 ? Math.max(...ends) : now;
  const nodes = phases.flatMap((phase) => phase.hosts.flatMap((host) => host.steps));
  const line: Line = [
    { text: progress.cluster, style: 'strong' },
    { text: '  ' },
    title,
    { text: `  ${finishedCount(nodes)} of ${plural(nodes.length, 'step')}` },
  ];
  if (starts.length > 0) line.push({ text: `  ${(over ? duration : elapsed)(end - Math.min(...starts))}` });
  if (progress.blocked.length > 0) line.push({ text: `  ${progress.blocked.length} blocked`, style: 'bad' });
  return line;
}

function phaseLines(phase: PhaseNode, options: FrameOptions, form: Form): Line[] {
  const { theme, now } = options;
  const time = timeOf(phase, now);
  const head: Line = [
    { text: `${theme.symbols[phase.state]} `, style: STATE_STYLE[phase.state] },
    { text: pad(phase.phase, 15), ...(phase.state === 'waiting' ? { style: 'faint' as const } : {}) },
    { text: `${pad(`${phase.finished}/${phase.total}`, 8)}${time}`.trimEnd(), style: 'faint' },
  ];
  if (phase.state !== 'running' && phase.state !== 'blocked') return [head];
  const width = Math.max(...phase.hosts.map((host) => host.host.length));
  return [head, ...phase.hosts.filter(form.hosts).flatMap((host) => hostLines(host, width, options))];
}

function timeOf({ startedAt, endedAt }: PhaseNode, now: number): string {
  if (startedAt === undefined) return '';
  return endedAt === undefined ? elapsed(now - startedAt) : duration(endedAt - startedAt);
}

function hostLines(host: HostNode, width: number, options: FrameOptions): Line[] {
  const { theme } = options;
  const active = host.steps.filter((node) => node.step.state === 'running' || node.step.state === 'blocked');
  const label = pad(host.host === ALL_HOSTS ? 'all' : host.host, Math.max(width, 3));
  if (active.length > 0) {
    return active.map((node, index) => [
      { text: `    ${theme.symbols[node.step.state]} `, style: STATE_STYLE[node.step.state] },
      { text: `${index === 0 ? label : pad('', Math.max(width, 3))}  ` },
      ...stepSpans(node, options.now),
    ]);
  }
  const state = host.state === 'running' ? 'waiting' : host.state;
  const finished = finishedCount(host.steps);
  const note = state === 'waiting' ? `${finished}/${host.steps.length}  waiting` : `${finished}/${host.steps.length}`;
  return [
    [
      { text: `    ${theme.symbols[state]} `, style: STATE_STYLE[state] },
      { text: `${label}  `, ...(state === 'waiting' ? { style: 'faint' as const } : {}) },
      { text: note, style: 'faint' },
    ],
  ];
}

/** `images  12 s  unpacking registry.k8s.io/…`; a step that waits for its next try says why and for how long. */
function stepSpans(node: StepNode, now: number): Line {
  const verb = node.step.id.slice(node.step.id.indexOf('/') + 1);
  const { activity } = node;
  // Without a try under way it is parked; with one a person is asked, and it is tried all the same.
  if (node.step.state === 'blocked' && activity === undefined)
    return [{ text: `${verb}  blocked, see above`, style: 'bad' }];
  const time = node.step.startedAt === undefined ? '' : elapsed(now - node.step.startedAt);
  const spans: Line = [{ text: `${verb}  ` }, { text: `${time}  `, style: 'faint' }];
  if (node.step.state === 'blocked') spans.push({ text: 'waits for a person, still tried: ', style: 'bad' });
  if (activity?.paused) return [...spans, { text: 'paused in Temporal', style: 'warn' }];
  if (activity?.failure !== undefined && activity.nextAttemptAt !== undefined) {
    const wait = elapsed(Math.max(0, activity.nextAttemptAt - now));
    return [...spans, { text: `try ${activity.attempt} in ${wait}: ${activity.failure}`, style: 'warn' }];
  }
  if (activity?.line) spans.push({ text: activity.line, style: 'faint' });
  else if (activity?.stage) spans.push({ text: activity.stage, style: 'faint' });
  return spans;
}
