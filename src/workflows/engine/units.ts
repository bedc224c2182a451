import type { Group } from '../../plan/cut.js';
import type { Step } from '../../plan/types.js';

/** A group of hosts as its root carries it out: like one long step, by a child workflow. */
export interface GroupStep extends Omit<Step, 'action'> {
  action: 'runGroup';
  /** What the child carries out. */
  members: Group;
}

/** What one workflow carries out. */
export type Unit = Step | GroupStep;

export function isGroup(unit: Unit): unit is GroupStep {
  return unit.action === 'runGroup';
}

/** A group is begun at once: each of its steps waits by itself for what it needs. */
export function asStep(members: Group): GroupStep {
  const hosts = [...new Set(members.steps.flatMap(({ host }) => host ?? []))];
  const [first, last] = [hosts[0], hosts.at(-1)];
  return {
    id: members.id,
    phase: members.steps[0]?.phase ?? 'preflight',
    action: 'runGroup',
    host: null,
    title: `${hosts.length} hosts, ${first} to ${last}`,
    needs: [],
    timeoutMinutes: 0,
    skippable: false,
    members,
  };
}
