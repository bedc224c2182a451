import type { LoadBalancerWork } from '../../work-types.js';
import { notifyProblems } from '../vrrp/notify/work.js';
import { vrrpHealth, vrrpWork } from '../vrrp/work.js';
import { isFromBundle } from './settings.js';

export const work: LoadBalancerWork = {
  ...vrrpWork,
  async checkTogether(context, peers) {
    const both = await Promise.all([vrrpWork.checkTogether(context, peers), notifyProblems(context)]);
    return both.flat();
  },
  bundled: (cluster, role) => (role === 'control-plane' && isFromBundle(cluster) ? ['load-balancer'] : []),
  health: vrrpHealth('`journalctl -u keepalived -u haproxy`'),
};
