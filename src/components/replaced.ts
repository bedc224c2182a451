import type { Cluster, Role } from '../cluster/types.js';
import { componentsOf, componentsOn } from './registry/plan.js';

/**
 * Files that the steps of a cluster's components write as a whole, and that others may have written.
 *
 * @param role of the hosts that are meant; left out: any
 */
export function replacedFiles(cluster: Cluster, role?: Role): { path: string; roles: readonly Role[] }[] {
  const components = role === undefined ? componentsOf(cluster) : componentsOn(cluster, role);
  const files = components.flatMap(({ services, replaces }) => [
    ...services.map(({ configuration, roles }) => ({ path: configuration, roles })),
    ...replaces,
  ]);
  return files.filter(({ roles }) => role === undefined || roles.includes(role));
}
