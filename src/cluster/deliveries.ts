import type { Cluster } from './types.js';

/** Whether control planes get files before they are one: see `deliveredFiles`, which says which. Pure, for plans. */
export function deliversFiles({ kubernetes, security = {} }: Pick<Cluster, 'kubernetes' | 'security'>): boolean {
  const { audit, anonymousAccess, podSecurity } = security;
  return (
    (kubernetes.files ?? []).length > 0 || [audit, anonymousAccess, podSecurity].some((line) => line !== undefined)
  );
}
