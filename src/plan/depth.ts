import type { HealthFinding } from './run.js';
import type { Step } from './types.js';

/** How much a health check looks at: `deep` is all of it, `quick` is what needs no pod. */
export type Depth = 'deep' | 'quick';

/** What the latest deep check came to, as far as a quick one does not look. */
export interface DeepLook {
  /** When it ended, milliseconds since the epoch. */
  at: number;
  findings: HealthFinding[];
}

/**
 * What stands of a deep check while quick ones follow it: findings of looks that a quick check leaves out. That nobody has looked
 * again does not make them go away. Pure.
 *
 * @param plan of the quick check
 * @param hosts names of the cluster's hosts as they are now
 */
export function standing(
  { at, findings }: DeepLook,
  plan: readonly Pick<Step, 'id'>[],
  hosts: readonly string[],
): DeepLook {
  const looks = new Set(plan.map(({ id }) => id));
  const isLeftOut = ({ look }: HealthFinding): boolean => look !== undefined && !looks.has(look);
  const isThere = ({ host }: HealthFinding): boolean => host === null || hosts.includes(host);
  const left = findings.filter((finding) => isLeftOut(finding) && isThere(finding));
  return { at, findings: left.map((finding) => ({ ...finding, seenAt: at })) };
}
