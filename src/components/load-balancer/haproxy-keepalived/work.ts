import type { LoadBalancerWork } from '../../work-types.js';
import { vrrpHealth, vrrpWork } from '../vrrp/work.js';
import { isFromBundle } from './settings.js';

export const work: LoadBalancerWork = {
  ...vrrpWork,
  bundled: (cluster, role) => (role === 'control-plane' && isFromBundle(cluster) ? ['load-balancer'] : []),
  health: vrrpHealth('`journalctl -u keepalived -u haproxy`'),
};
