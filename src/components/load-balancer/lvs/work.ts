import { hostsOf } from '../../../cluster/types.js';
import { type LoadBalancerWork, NOTHING_TO_CHECK } from '../../work-types.js';
import { virtualIpOf } from '../virtual-ip/virtual-ip.js';
import { vrrpProblems } from '../vrrp/advertisements.js';
import { KEEPALIVED_CONFIG_PATH } from '../vrrp/render/units.js';
import { gatherVipFacts, type VipQuestion, vipProblems } from '../vrrp/vip.js';
import { checkCards } from '../vrrp/work.js';
import { isFromBundle } from './settings.js';
import { ENDPOINT_HINT, lookAtEndpoint } from './steps/verifyDirectors.js';

export const work: LoadBalancerWork = {
  ...NOTHING_TO_CHECK,
  look: lookAtEndpoint,
  checkEndpoint: async () => [],
  unobstructed: (cluster) => `${virtualIpOf(cluster).vip} is free or ours`,
  health: (cluster) => ({
    found: `one director has ${virtualIpOf(cluster).vip}, each leads to every control plane, and the API answers at port ${cluster.endpoint.port}`,
    hint: ENDPOINT_HINT,
  }),
  check: checkCards('director'),
  bundled: (cluster, role) => (role === 'director' && isFromBundle(cluster) ? ['load-balancer'] : []),

  async checkTogether(context, peers) {
    const { cluster, hostNamed, signal } = context;
    const directors = hostsOf(cluster, 'director');
    const [first] = directors;
    // The loader refuses a file without a director, so this is a programming error, not a user's.
    if (first === undefined) throw new Error('LVS has at least one director');
    const [facts, ofVrrp] = await Promise.all([
      gatherVipFacts(virtualIpOf(cluster).vip, hostNamed(first.name), signal),
      vrrpProblems(context, peers, directors, KEEPALIVED_CONFIG_PATH),
    ]);
    // Control planes have it on lo.
    const question: VipQuestion = { holders: ['director', 'control-plane'], askedBy: 'first director' };
    return [...vipProblems(cluster, peers, facts, question), ...ofVrrp];
  },
};
