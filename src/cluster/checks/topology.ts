import type { Report } from '../report.js';
import type { Sketch } from '../resolve/draft.js';
import type { Cluster, Role } from '../types.js';
import type { Check } from './index.js';

const HOSTS = ['spec', 'hosts'];
const TOPOLOGY = ['spec', 'etcd', 'topology'];

/** etcd's own advice: more members cost write speed and gain nothing (etcd FAQ, "maximum cluster size"). */
const MOST_ETCD_MEMBERS = 7;

/** How many hosts of each role there are, and whether that is a cluster. */
export const checkTopology: Check = (cluster, report) => {
  const { hosts, etcd } = cluster;
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
  if (etcd.topology === 'stacked') checkStacked(cluster, controlPlanes, report);
  if (etcd.topology === 'external') checkExternal(count('etcd'), controlPlanes, report);
};

function checkStacked({ hosts }: Sketch<Cluster>, controlPlanes: number, report: Report): void {
  for (const [index, host] of hosts.entries()) {
    if (host.role !== 'etcd') continue;
    report.error([...HOSTS, index, 'role'], 'etcd-role-when-stacked', {
      message: `spec.etcd.topology is stacked (line ${report.line(TOPOLOGY)}): etcd runs on the control planes`,
      expected: 'another role, or topology external',
    });
  }
  checkMembers(controlPlanes, 'control planes, each with an etcd member', report);
}

function checkExternal(members: number, controlPlanes: number, report: Report): void {
  if (members === 0) {
    report.error(TOPOLOGY, 'no-etcd-host', {
      message: 'etcd is to be external, but no host has role etcd',
      expected: 'three hosts with role etcd, or topology stacked',
    });
  }
  checkMembers(members, 'etcd hosts', report);
  if (controlPlanes === 1) {
    report.warn(HOSTS, 'single-control-plane', {
      message: 'with one control plane there is no high availability: when it fails, the API is gone',
      expected: 'two control planes or more',
      found: '',
      at: 'key',
    });
  }
}

function checkMembers(members: number, what: string, report: Report): void {
  const place = { at: 'key', found: `${members} ${what}` } as const;
  if (members === 1) {
    report.warn(HOSTS, 'single-etcd-member', {
      ...place,
      message: 'with one etcd member there is no high availability: when its host fails, the cluster stands still',
      found: '',
      expected: 'three of them',
    });
  } else if (members > 0 && members % 2 === 0) {
    report.error(HOSTS, 'even-etcd-members', {
      ...place,
      message: `the number of etcd members is even: ${members} survive no more failures than ${members - 1}, and fail more often`,
      expected: `${members - 1} or ${members + 1}`,
    });
  } else if (members > MOST_ETCD_MEMBERS) {
    report.warn(HOSTS, 'many-etcd-members', {
      ...place,
      message: 'so many etcd members make every write slow',
      expected: `three or five, at most ${MOST_ETCD_MEMBERS}`,
    });
  }
}
