import { manifestPath } from '../../pods/places.js';
import { writingPods } from '../../pods/write.js';
import { POD } from '../places.js';
import { settingsOf } from '../settings.js';
import { goalOf } from './goal.js';

/** The manifest of kube-vip on one control plane. */
export const writeKubeVip = writingPods({
  paths: [manifestPath(POD)],
  goalOf,
  images({ cluster }) {
    const { image } = settingsOf(cluster);
    return image === null ? [] : [image];
  },
  key: 'loadBalancer.image',
});
