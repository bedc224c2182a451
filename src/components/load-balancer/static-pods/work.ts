import type { LoadBalancerWork } from '../../work-types.js';
import { vrrpWork } from '../vrrp/work.js';
import { ownImages } from './settings.js';

export const work: LoadBalancerWork = {
  ...vrrpWork,
  bundled: (cluster, role) => (role === 'control-plane' && ownImages(cluster) === null ? ['load-balancer-image'] : []),
};
