import { manifestPath } from '../../pods/places.js';
import { writingPods } from '../../pods/write.js';
import { CHECK_SCRIPT_PATH, CONFIG_PATHS, PODS } from '../places.js';
import { ownImages } from '../settings.js';
import { goalOf } from './goal.js';

/** What HAProxy and keepalived read on one control plane, and their manifests. */
export const writeBalancerPods = writingPods({
  paths: [CHECK_SCRIPT_PATH, ...PODS.flatMap((pod) => [CONFIG_PATHS[pod], manifestPath(pod)])],
  goalOf,
  images: ({ cluster }) => [...new Set(Object.values(ownImages(cluster) ?? {}))],
  key: 'loadBalancer.images',
});
