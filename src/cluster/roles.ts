import type { Role } from './types.js';

/** Whether hosts of a role are nodes of the cluster: they run pods. */
export function isNode(role: Role): boolean {
  return role === 'control-plane' || role === 'worker';
}

/** Whether hosts of a role stand outside of the cluster: they lead to it, and have nothing of Kubernetes or etcd. */
export function isOutside(role: Role): boolean {
  return role === 'director';
}
