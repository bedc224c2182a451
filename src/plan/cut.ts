import type { Cluster } from '../cluster/types.js';
import type { Step } from './types.js';

/**
 * Hosts up to which one workflow carries out the whole plan. Above it the workers' steps go to groups, each a child
 * workflow: the history of one workflow has an end (51,200 events and 50 MiB), and so has what one workflow task may
 * schedule (4 MiB).
 */
export const UNGROUPED_HOSTS = 50;

/** Most hosts of one group. Forty hosts of eight steps each make some 1,800 events. */
const GROUP_HOSTS = 40;

/**
 * Puts the steps of workers into groups of about equal size, all steps of one host into the same group, where the cluster
 * has more than UNGROUPED_HOSTS hosts. Steps in lanes stay with the root, for a lane has one limit for all of them. The
 * groups become part of the plan, so newer code never cuts a run that is under way in another way.
 *
 * @param plan steps in an order in which each stands behind what it needs
 */
export function inGroups(plan: Step[], { hosts }: Pick<Cluster, 'hosts'>): Step[] {
  if (hosts.length <= UNGROUPED_HOSTS) return plan;
  const workers = hosts.filter(({ role }) => role === 'worker').map(({ name }) => name);
  const count = Math.ceil(workers.length / GROUP_HOSTS);
  const digits = String(count).length;
  const groupOf = new Map(
    workers.map((name, index) => {
      const number = Math.floor((index * count) / workers.length) + 1;
      return [name, `group-${String(number).padStart(digits, '0')}`];
    }),
  );
  return plan.map((step) => {
    const group = step.host === null || step.lane !== undefined ? undefined : groupOf.get(step.host);
    if (group === undefined) return step;
    // Whom it would let go first is carried out by another workflow, which does not tell how far it is.
    const { yieldsTo: _, ...own } = step;
    return { ...own, group };
  });
}

/** Steps of some hosts, which a child workflow carries out. */
export interface Group {
  /** Such as `group-07`; the last part of the child's workflow id. */
  id: string;
  /** Its steps, in the order of the plan. What they need outside of the group is named as `outside` says. */
  steps: Step[];
  /** What steps of this group need outside of it: ids of the root's steps, and waits (see `waitOf`) for other groups. */
  outside: string[];
  /** For each step elsewhere that needs steps of this group: which of them. */
  awaited: Record<string, string[]>;
}

/** A plan as it is carried out: what the root does itself, and what its groups do. */
export interface Cut {
  /** The root's own steps. Where they need steps of a group, they name a wait for it instead (see `waitOf`). */
  own: Step[];
  groups: Group[];
}

/** Stands in a step's needs for all that it needs of one group, so that a need is as small as the number of groups. */
export function waitOf(step: string, group: string): string {
  return `${group}>${step}`;
}

/** Takes a plan apart into what the root and each of its groups carry out. Pure: the same plan is always cut the same. */
export function cut(plan: Step[]): Cut {
  const placeOf = new Map(plan.map(({ id, group }) => [id, group]));
  const groups = new Map<string, Group>();
  for (const { group } of plan) {
    if (group === undefined || groups.has(group)) continue;
    groups.set(group, { id: group, steps: [], outside: [], awaited: {} });
  }
  const own: Step[] = [];
  for (const step of plan) {
    const needs = step.needs.map((id) => {
      const place = placeOf.get(id);
      return place === undefined || place === step.group ? id : waitOf(step.id, place);
    });
    for (const id of step.needs) {
      const place = placeOf.get(id);
      if (place === undefined || place === step.group) continue;
      const awaited = (groups.get(place) as Group).awaited;
      awaited[step.id] = [...(awaited[step.id] ?? []), id];
    }
    const mine = step.group === undefined ? undefined : groups.get(step.group);
    const placed = { ...step, needs: [...new Set(needs)] };
    if (mine === undefined) own.push(placed);
    else {
      mine.steps.push(placed);
      const outside = placed.needs.filter((id) => placeOf.get(id) !== step.group);
      mine.outside = [...new Set([...mine.outside, ...outside])];
    }
  }
  return { own, groups: [...groups.values()] };
}
