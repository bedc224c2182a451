import type { StepState } from '../workflows/types.js';
import { verbOf } from './alike.js';
import { duration, elapsed, pad, truncateMiddle } from './text.js';
import type { Theme } from './theme.js';
import { ALL_HOSTS, finishedCount, type HostNode, type PhaseNode, type StepNode } from './tree.js';
import type { Line, StyleName } from './types.js';

export interface PhaseOptions {
  theme: Theme;
  columns: number;
  /** Milliseconds since the epoch. */
  now: number;
  /** Which hosts of a phase at work are shown. */
  hosts: 'all' | 'unfinished' | 'busy' | 'none';
}

const STATE_STYLE: Record<StepState, StyleName> = {
  done: 'good',
  running: 'busy',
  waiting: 'faint',
  blocked: 'bad',
  skipped: 'warn',
  failed: 'bad',
};

/** All phases, one line each, and below each that is at work its hosts. */
export function phaseLines(phases: PhaseNode[], options: PhaseOptions): Line[] {
  const counts = phases.map(({ finished, total }) => `${finished}/${total}`);
  const columns = {
    phase: Math.max(15, widest(phases.map(({ phase }) => phase)) + 2),
    count: Math.max(8, widest(counts) + 2),
  };
  return phases.flatMap((phase, index) => {
    const { theme, now } = options;
    const head: Line = [
      { text: `${theme.symbols[phase.state]} `, style: STATE_STYLE[phase.state] },
      { text: pad(phase.phase, columns.phase), ...(phase.state === 'waiting' ? { style: 'faint' as const } : {}) },
      { text: `${pad(counts[index] ?? '', columns.count)}${timeOf(phase, now)}`.trimEnd(), style: 'faint' },
    ];
    const isAtWork = phase.state === 'running' || phase.state === 'blocked';
    return isAtWork && options.hosts !== 'none' ? [head, ...hostsLines(phase, options)] : [head];
  });
}

function widest(texts: string[]): number {
  return texts.reduce((width, text) => Math.max(width, text.length), 0);
}

function timeOf({ startedAt, endedAt }: PhaseNode, now: number): string {
  if (startedAt === undefined) return '';
  return endedAt === undefined ? elapsed(now - startedAt) : duration(endedAt - startedAt);
}

/** In a phase of more hosts than this, those that are done or wait are counted, and those at work are listed as far as: */
const MANY_HOSTS = 50;
const LISTED_HOSTS = 20;
/** More blocked hosts of a phase than this are counted: what they are blocked by stands above, for all of them. */
const LISTED_BLOCKED = 5;

function hostsLines(phase: PhaseNode, options: PhaseOptions): Line[] {
  const isMany = phase.hosts.length > MANY_HOSTS;
  const blocked = phase.hosts.filter(isOnlyBlocked);
  const counted = new Set(blocked.length > LISTED_BLOCKED ? blocked : []);
  const wanted = phase.hosts.filter((host) => !counted.has(host) && isShown(host, isMany ? 'busy' : options.hosts));
  const listed = isMany ? wanted.slice(0, LISTED_HOSTS) : wanted;
  const width = nameWidth(listed, options.columns);
  const lines = listed.flatMap((host) => hostLines(host, width, options));
  // Of few hosts a form that leaves some out does so to be short.
  const shown = new Set(listed);
  const rest = isMany ? phase.hosts.filter((host) => !shown.has(host)) : [...counted];
  return rest.length === 0 ? lines : [...lines, countLine(rest)];
}

function isShown(host: HostNode, which: PhaseOptions['hosts']): boolean {
  if (which === 'all') return true;
  if (which === 'busy') return isBusy(host);
  return host.state !== 'done' && host.state !== 'skipped';
}

const isRunning = ({ steps }: HostNode): boolean => steps.some(({ step }) => step.state === 'running');
const isBusy = (host: HostNode): boolean => host.state === 'blocked' || host.state === 'failed' || isRunning(host);
const isOnlyBlocked = (host: HostNode): boolean => host.state === 'blocked' && !isRunning(host);

/** Names take two fifths of a line at most: what the host does must be seen, too. */
function nameWidth(hosts: HostNode[], columns: number): number {
  return Math.min(widest(['all', ...hosts.map(labelOf)]), Math.max(16, Math.floor(columns * 0.4)));
}

function labelOf({ host }: HostNode): string {
  return host === ALL_HOSTS ? 'all' : host;
}

const COUNTED: [words: string, is: (host: HostNode) => boolean][] = [
  ['more at work', isRunning],
  ['blocked (see above)', (host) => host.state === 'blocked'],
  ['failed', (host) => host.state === 'failed'],
  ['waiting', (host) => host.state === 'waiting' || host.state === 'running'],
  ['done', (host) => host.state === 'done'],
  ['skipped', (host) => host.state === 'skipped'],
];

/** `… 212 waiting, 700 done`: each host is counted once, by what a person wants to know of it first. */
function countLine(hosts: HostNode[]): Line {
  const counts = new Map<string, number>();
  for (const host of hosts) {
    const words = COUNTED.find(([, is]) => is(host))?.[0] ?? host.state;
    counts.set(words, (counts.get(words) ?? 0) + 1);
  }
  const parts = COUNTED.flatMap(([words]) => (counts.has(words) ? `${counts.get(words)} ${words}` : []));
  const where = counts.has('more at work') ? '; kubewright status --json shows each' : '';
  return [{ text: `    … ${parts.join(', ')}${where}`, style: 'faint' }];
}

function hostLines(host: HostNode, width: number, { theme, now }: PhaseOptions): Line[] {
  const active = host.steps.filter((node) => node.step.state === 'running' || node.step.state === 'blocked');
  const label = pad(truncateMiddle(labelOf(host), width), width);
  if (active.length > 0) {
    return active.map((node, index) => [
      { text: `    ${theme.symbols[node.step.state]} `, style: STATE_STYLE[node.step.state] },
      { text: `${index === 0 ? label : pad('', width)}  ` },
      ...stepSpans(node, now),
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
  const verb = verbOf(node.step.id);
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
