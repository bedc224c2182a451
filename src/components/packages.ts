import type { Cluster, Role } from '../cluster/types.js';
import { componentsOf, componentsOn } from './registry/plan.js';
import type { Packages, Service } from './types.js';

const ROLES: readonly Role[] = ['control-plane', 'worker', 'etcd', 'director'];

/** What the components of a cluster need of the distribution. */
export interface PackageNeeds extends Packages {
  /** Services that come with packages, and stay stopped until they are configured. */
  services: readonly Service[];
}

/** On hosts of one role, or of any. */
export function packageNeeds(cluster: Cluster, roles: readonly Role[] = ROLES): PackageNeeds {
  const components = componentsOf(cluster);
  const needs = roles.flatMap((role) =>
    componentsOn(cluster, role).map((component) => component.packages(cluster, role)),
  );
  return {
    install: [...new Set(needs.flatMap(({ install }) => install))],
    hold: [...new Set(needs.flatMap(({ hold }) => hold))],
    services: components.flatMap(({ services }) => services),
  };
}
