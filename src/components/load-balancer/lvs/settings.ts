import type { KeyChanges } from '../../../cluster/key-change.js';
import type { Cluster } from '../../../cluster/types.js';

/** `spec.loadBalancer`, resolved. */
export interface LvsSettings {
  type: 'lvs';
  /** Whose keepalived the directors run: the bundle's, or the package of the distribution. */
  source: 'bundle' | 'distribution';
}

export const DEFAULTS = {
  /** The distribution's mirror may be out of reach. */
  source: 'bundle',
} as const;

/** Its keys are those of other load balancers too, and what becomes of an edit stands with them. */
export const CHANGES: KeyChanges = {};

/** Whether the directors' keepalived is the bundle's. */
export function isFromBundle({ loadBalancer }: Pick<Cluster, 'loadBalancer'>): boolean {
  return loadBalancer.type === 'lvs' && loadBalancer.source === 'bundle';
}
