import type { StepActivity } from '../engine/types.js';
import { PHASES, type Phase } from '../plan/types.js';
import type { StepProgress, StepState } from '../workflows/types.js';
import type { InstallView } from './types.js';

/** Name under which steps that concern all hosts are shown. */
export const ALL_HOSTS = 'cluster';

export interface StepNode {
  step: StepProgress;
  activity: StepActivity | undefined;
}

export interface HostNode {
  host: string;
  state: StepState;
  steps: StepNode[];
}

export interface PhaseNode {
  phase: Phase;
  state: StepState;
  hosts: HostNode[];
  finished: number;
  total: number;
  startedAt: number | undefined;
  /** Set when every step of it has ended. */
  endedAt: number | undefined;
}

/** Arranges a moment of an install as phases, in them hosts in the order of `cluster.yaml`, in them steps. */
export function buildTree(snapshot: InstallView): PhaseNode[] {
  const nodes = snapshot.progress.steps.map((step) => ({ step, activity: snapshot.activities[step.id] }));
  return PHASES.flatMap((phase) => {
    const own = nodes.filter((node) => node.step.phase === phase);
    return own.length === 0 ? [] : [phaseNode(phase, own)];
  });
}

/** Steps that have ended well: done or skipped. */
export function finishedCount(nodes: StepNode[]): number {
  return nodes.filter((node) => node.step.state === 'done' || node.step.state === 'skipped').length;
}

function phaseNode(phase: Phase, nodes: StepNode[]): PhaseNode {
  const byHost = new Map<string, StepNode[]>();
  for (const node of nodes) {
    const host = node.step.host ?? ALL_HOSTS;
    byHost.set(host, [...(byHost.get(host) ?? []), node]);
  }
  const finished = finishedCount(nodes);
  const starts = nodes.flatMap((node) => node.step.startedAt ?? []);
  const ends = nodes.flatMap((node) => node.step.endedAt ?? []);
  return {
    phase,
    state: stateOf(nodes),
    hosts: [...byHost].map(([host, steps]) => ({ host, state: stateOf(steps), steps })),
    finished,
    total: nodes.length,
    startedAt: starts.length === 0 ? undefined : Math.min(...starts),
    endedAt: finished < nodes.length || ends.length === 0 ? undefined : Math.max(...ends),
  };
}

/** One state for many steps: the one a person wants to know of first. */
function stateOf(nodes: StepNode[]): StepState {
  const states = new Set(nodes.map((node) => node.step.state));
  if (states.has('blocked')) return 'blocked';
  if (states.has('running')) return 'running';
  if (states.has('waiting')) return states.size === 1 ? 'waiting' : 'running';
  return states.has('done') ? 'done' : 'skipped';
}
