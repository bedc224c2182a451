import type { Check } from '../../../cluster/checks/index.js';
import type { ChoiceSchema } from '../../schema-types.js';
import { checkMembers, countOf, HOSTS, TOPOLOGY } from '../members/file-checks.js';

const checkExternal: Check = (cluster, report) => {
  const [members, controlPlanes] = [countOf(cluster, 'etcd'), countOf(cluster, 'control-plane')];
  if (members === undefined) return;
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
};

export const schema = {
  description: 'on the hosts with role etcd.',
  keys: {},
  resolve: () => ({}),
  checks: [checkExternal],
} satisfies ChoiceSchema;
