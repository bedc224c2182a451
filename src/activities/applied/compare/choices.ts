import type { Compare } from './index.js';
import { one } from './one.js';

/**
 * Which load balancer was chosen. Only the record tells: what one of them leaves on hosts is nothing that another one looks
 * for, and two of them would fight for the port and for the virtual IP.
 */
export const compareChoices: Compare = (cluster, { record: { answer } }) => ({
  found:
    answer.is === 'yes'
      ? one('spec.loadBalancer.type', answer.value.cluster.loadBalancer.type, cluster.loadBalancer.type)
      : [],
  unchecked: [],
});
