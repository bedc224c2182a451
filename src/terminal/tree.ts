import type { StepActivity } from '../engine/types.js';
import type { Phase } from '../plan/types.js';
import { hasEnded, type StepProgress, type StepState } from '../workflows/types.js';
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
  // In the order in which the plan has them, whichever the operation is.
  const phases = [...new Set(nodes.map(({ step }) => step.phase))];
  return phases.map((phase) => {
    const own = nodes.filter((node) => node.step.phase === phase);
    return phaseNode(phase, own);
  });
}

/** Steps that have ended. */
export function finishedCount(nodes: StepNode[]): number {
  return nodes.filter((node) => hasEnded(node.step)).length;
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
  if (states.has('failed')) return 'failed';
  if (states.has('waiting')) return states.size === 1 ? 'waiting' : 'running';
  return states.has('done') ? 'done' : 'skipped';
}
