import type { ClusterHost } from '../cluster/types.js';
import type { Action, Phase, Step } from './types.js';

/** What a plan says of a step; the rest follows from the host and the verb. */
export interface StepFields {
  phase: Phase;
  action: Action;
  title: string;
  needs: string[];
  /** Minutes; default 10. Generous: a bound for what hangs, not an estimate. */
  timeoutMinutes?: number;
  skippable?: boolean;
}

/** A step of one host: `HOST/VERB`. */
export function hostStep(host: ClusterHost, verb: string, fields: StepFields): Step {
  return {
    id: `${host.name}/${verb}`,
    host: host.name,
    timeoutMinutes: 10,
    // A cluster is whole without one of its workers, never without a control plane or an etcd member.
    skippable: host.role === 'worker',
    ...fields,
  };
}

/** A step that concerns all hosts: `cluster/VERB`. */
export function clusterStep(verb: string, fields: StepFields): Step {
  return { id: `cluster/${verb}`, host: null, timeoutMinutes: 10, skippable: false, ...fields };
}

/** Ids of steps. */
export function idsOf(steps: readonly Step[]): string[] {
  return steps.map(({ id }) => id);
}
