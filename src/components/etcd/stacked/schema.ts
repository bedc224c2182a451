import type { Check } from '../../../cluster/checks/index.js';
import type { ChoiceSchema } from '../../schema-types.js';
import { checkMembers, countOf, HOSTS, TOPOLOGY } from '../members/file-checks.js';

const checkStacked: Check = (cluster, report) => {
  const controlPlanes = countOf(cluster, 'control-plane');
  if (controlPlanes === undefined) return;
  for (const [index, host] of cluster.hosts.entries()) {
    if (host.role !== 'etcd') continue;
    report.error([...HOSTS, index, 'role'], 'etcd-role-when-stacked', {
      message: `spec.etcd.topology is stacked (line ${report.line(TOPOLOGY)}): etcd runs on the control planes`,
      expected: 'another role, or topology external',
    });
  }
  checkMembers(controlPlanes, 'control planes, each with an etcd member', report);
};

export const schema = {
  description: 'a member on every control plane.',
  keys: {},
  resolve: () => ({}),
  checks: [checkStacked],
} satisfies ChoiceSchema;
