import { hostsOf } from '../../../cluster/types.js';
import { type LoadBalancerWork, NOTHING_TO_CHECK } from '../../work-types.js';
import { virtualIpOf } from '../virtual-ip/virtual-ip.js';
import { gatherVipFacts, vipProblems } from '../vrrp/vip.js';
import { checkCards } from '../vrrp/work.js';
import { isFromBundle } from './settings.js';
import { ENDPOINT_HINT, endpointFaults } from './steps/verifyDirectors.js';

export const work: LoadBalancerWork = {
  ...NOTHING_TO_CHECK,
  faults: endpointFaults,
  unobstructed: (cluster) => `${virtualIpOf(cluster).vip} is free or ours`,
  health: (cluster) => ({
    found: `one director has ${virtualIpOf(cluster).vip}, each leads to every control plane, and the API answers at port ${cluster.endpoint.port}`,
    hint: ENDPOINT_HINT,
  }),
  check: checkCards('director'),
  bundled: (cluster, role) => (role === 'director' && isFromBundle(cluster) ? ['load-balancer'] : []),

  async checkTogether({ cluster, hostNamed, signal }, peers) {
    const [first] = hostsOf(cluster, 'director');
    // The loader refuses a file without a director, so this is a programming error, not a user's.
    if (first === undefined) throw new Error('LVS has at least one director');
    const facts = await gatherVipFacts(virtualIpOf(cluster).vip, hostNamed(first.name), signal);
    // Control planes have it on lo.
    return vipProblems(cluster, peers, facts, { holders: ['director', 'control-plane'], askedBy: 'first director' });
  },
};
