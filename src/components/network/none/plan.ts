import type { PodNetwork } from '../../types.js';
import { NOTHING_KNOWN } from '../nothing-known.js';

/** No network of Kubewright's: a person brings one when the cluster is there. */
export const none: PodNetwork = {
  ...NOTHING_KNOWN,
  isBroughtLater: true,
  install: () => [],
};
