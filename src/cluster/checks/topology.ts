import type { Role } from '../types.js';
import type { Check } from './index.js';

const HOSTS = ['spec', 'hosts'];

/** How many hosts of each role there are, and whether that is a cluster. */
export const checkTopology: Check = (cluster, report) => {
  const { hosts } = cluster;
  // With a role unknown every count would be a guess, and "hosts is missing" says it all.
  if (hosts.length === 0 || hosts.some((host) => host.role === undefined)) return;
  const count = (role: Role): number => hosts.filter((host) => host.role === role).length;
  const controlPlanes = count('control-plane');
  if (controlPlanes === 0) {
    const expected = 'at least one host with role control-plane, better three';
    report.error(HOSTS, 'no-control-plane', { message: 'no host is a control plane', expected, at: 'key' });
  }
  if (count('worker') === 0 && !hosts.some((host) => host.taints?.length === 0)) {
    report.warn(HOSTS, 'no-worker', {
      message: 'there is no worker, and control planes take no ordinary pods',
      expected: 'a worker, or "taints: []" on a control plane',
      found: '',
      at: 'key',
    });
  }
};
