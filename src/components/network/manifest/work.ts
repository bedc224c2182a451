import { NOTHING_TO_CHECK, type PodNetworkWork } from '../../work-types.js';
import { inventoryQuestion, traceOf } from '../objects/inventory.js';
import { imagesOf } from '../objects/objects.js';
import { objectsOf } from './wanted.js';

export const work: PodNetworkWork = {
  ...NOTHING_TO_CHECK,
  images: (cluster) => imagesOf(objectsOf(cluster)),
  runsImage: (cluster, { names }) => imagesOf(objectsOf(cluster)).some((name) => names.includes(name)),
  question: inventoryQuestion,
  /** Its manifests name the pod network, and were checked against the file. */
  read: () => ({ podSubnet: '', settings: {} }),
  trace: (kubectl) => traceOf(kubectl, 'manifest'),
  /** The step compares objects, and applies and prunes them. */
  compare: () => ({ found: [], unchecked: [] }),
};
