import { clusterStep } from '../../../plan/step.js';
import type { PodNetwork } from '../../types.js';
import { NOTHING_KNOWN } from '../nothing-known.js';

/** A network by the user's manifests. */
export const manifest: PodNetwork = {
  ...NOTHING_KNOWN,
  isBroughtLater: false,
  install: ({ network }, init) => [
    clusterStep('network', {
      phase: 'network',
      action: 'applyManifests',
      title: `Apply the pod network (${network.plugin})`,
      needs: [init],
    }),
  ],
};
