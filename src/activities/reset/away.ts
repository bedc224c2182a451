import type { ClusterHost } from '../../cluster/types.js';
import { RESET_PREFLIGHT } from '../../plan/reset.js';
import type { StepData } from '../../plan/run.js';
import { listed } from '../prepare/checks/problem.js';
import type { Probe, StepContext } from '../types.js';
import type { Authority } from './whose.js';

/** What the preflight of a reset hands on to its steps. */
export interface Found extends StepData {
  /** Names of hosts that cannot be reached. */
  away: string[];
  /** `sha256:…` of the cluster's CA certificate as its hosts know it, and the host that says so; null where none has come that far. */
  ca: string | null;
  caOf: string | null;
}

/** The authority that the preflight of a reset has found, for steps that ask a host once more whose it is. */
export function authorityFound({ inputs }: Pick<StepContext, 'inputs'>): Authority | undefined {
  const { ca, caOf } = inputs[RESET_PREFLIGHT] ?? {};
  return typeof ca === 'string' && typeof caOf === 'string' ? { ca, host: caOf } : undefined;
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
