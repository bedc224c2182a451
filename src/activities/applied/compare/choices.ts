import { CHOSEN } from '../../../components/registry/settings.js';
import type { Compare } from './index.js';
import { one } from './one.js';

/**
 * Which load balancer was chosen, and where programs come from. Only the record tells: what one choice leaves on hosts is
 * nothing that another one looks for, and two load balancers would fight for the port and for the virtual IP.
 */
export const compareChoices: Compare = (cluster, { record: { answer } }) => {
  if (answer.is !== 'yes') return { found: [], unchecked: [] };
  const { loadBalancer, packages } = answer.value.cluster;
  return {
    found: [
      ...one('spec.loadBalancer.type', loadBalancer.type, cluster.loadBalancer.type),
      // Records that are older than the choice have none.
      ...one('spec.packages.source', packages.source ?? CHOSEN.packages.source, cluster.packages.source),
    ],
    unchecked: [],
  };
};
