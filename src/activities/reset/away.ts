import type { ClusterHost } from '../../cluster/types.js';
import { RESET_PREFLIGHT } from '../../plan/reset.js';
import type { StepData } from '../../plan/run.js';
import { listed } from '../prepare/checks/problem.js';
import type { Probe, StepContext } from '../types.js';

/** What the preflight of a reset hands on to its steps. */
export interface Found extends StepData {
  /** Names of hosts that cannot be reached. */
  away: string[];
}

/** Whether the preflight could not reach a host: then no step of this run tries to. */
export function isAway({ inputs }: Pick<StepContext, 'inputs'>, name: string): boolean {
  const { away } = inputs[RESET_PREFLIGHT] ?? {};
  return Array.isArray(away) && away.includes(name);
}

/** What a step of a host that cannot be reached comes to. */
export function leftAlone({ name }: ClusterHost): Probe {
  return { done: true, found: `${name} cannot be reached: it is to be wiped before reuse`, changes: [] };
}

/** So many are named; the others are counted. */
const NAMED = 5;

/** What is left to a person of hosts that cannot be reached. */
export function wipeLater(hosts: readonly ClusterHost[]): string {
  const names = hosts.slice(0, NAMED).map(({ name, address }) => `${name} (${address})`);
  const more = hosts.length > NAMED ? [`${hosts.length - NAMED} more`] : [];
  return `wipe ${listed([...names, ...more])} before reuse: not reached, so what is there stays`;
}
