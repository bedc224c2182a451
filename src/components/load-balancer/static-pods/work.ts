import type { LoadBalancerWork } from '../../work-types.js';
import { vrrpHealth, vrrpWork } from '../vrrp/work.js';
import { CONFIG_PATHS } from './places.js';
import { ownImages } from './settings.js';

export const work: LoadBalancerWork = {
  ...vrrpWork(CONFIG_PATHS.keepalived),
  health: vrrpHealth('`crictl logs` of their containers'),
  bundled: (cluster, role) => (role === 'control-plane' && ownImages(cluster) === null ? ['load-balancer-image'] : []),
};
