import type { LoadBalancerWork } from '../../work-types.js';
import { vrrpHealth, vrrpWork } from '../vrrp/work.js';
import { ownImages } from './settings.js';

export const work: LoadBalancerWork = {
  ...vrrpWork,
  health: vrrpHealth('`crictl logs` of their containers'),
  bundled: (cluster, role) => (role === 'control-plane' && ownImages(cluster) === null ? ['load-balancer-image'] : []),
};
