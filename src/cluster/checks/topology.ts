import { loadBalancerOf } from '../../components/registry/plan.js';
import { LOAD_BALANCERS, namesOf } from '../../components/registry/schema.js';
import type { Report } from '../report.js';
import type { Sketch } from '../resolve/draft.js';
import type { Cluster, Role } from '../types.js';
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
  checkBalancerHosts(cluster, report);
};

const TYPE = ['spec', 'loadBalancer', 'type'];

/** A load balancer with hosts of its own has some, and no host is there for one that was not chosen. */
function checkBalancerHosts({ hosts, loadBalancer: { type } }: Sketch<Cluster>, report: Report): void {
  if (type === undefined) return;
  const hostRoles = new Map(
    namesOf(LOAD_BALANCERS).map((name) => [name, loadBalancerOf({ loadBalancer: { type: name } }).hostRole]),
  );
  const own = hostRoles.get(type) ?? null;
  if (own !== null && !hosts.some(({ role }) => role === own)) {
    report.error(TYPE, `no-${own}`, {
      message: `this load balancer is on hosts with role ${own}, and there is none`,
      expected: `one or two hosts with role ${own}, which are no nodes of the cluster`,
    });
  }
  for (const [index, { role }] of hosts.entries()) {
    const owners = [...hostRoles].filter(([, hostRole]) => hostRole === role).map(([name]) => name);
    if (owners.length === 0 || role === own) continue;
    const choice = report.written(TYPE) ? `line ${report.line(TYPE)}` : 'the default';
    report.error([...HOSTS, index, 'role'], 'role-of-another-load-balancer', {
      message: `spec.loadBalancer.type is ${type} (${choice}), which has no host with this role`,
      expected: `another role, or spec.loadBalancer.type: ${owners.join(' or ')}`,
    });
  }
}
