import type { Cluster, Role } from '../cluster/types.js';
import { componentsOf } from './registry/plan.js';

/** Files that the steps of a cluster's components write as a whole, and that others may have written. */
export function replacedFiles(cluster: Cluster): { path: string; roles: readonly Role[] }[] {
  return componentsOf(cluster).flatMap(({ services, replaces }) => [
    ...services.map(({ configuration, roles }) => ({ path: configuration, roles })),
    ...replaces,
  ]);
}
