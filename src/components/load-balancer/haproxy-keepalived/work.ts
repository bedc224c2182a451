import type { LoadBalancerWork } from '../../work-types.js';
import { notifyProblems } from '../vrrp/notify/work.js';
import { KEEPALIVED_CONFIG_PATH } from '../vrrp/render/units.js';
import { vrrpHealth, vrrpWork } from '../vrrp/work.js';
import { isFromBundle } from './settings.js';

const vrrp = vrrpWork(KEEPALIVED_CONFIG_PATH);

export const work: LoadBalancerWork = {
  ...vrrp,
  async checkTogether(context, peers) {
    const both = await Promise.all([vrrp.checkTogether(context, peers), notifyProblems(context)]);
    return both.flat();
  },
  bundled: (cluster, role) => (role === 'control-plane' && isFromBundle(cluster) ? ['load-balancer'] : []),
  health: vrrpHealth('`journalctl -u keepalived -u haproxy`'),
};
