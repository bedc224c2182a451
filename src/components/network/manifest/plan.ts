import { clusterStep } from '../../../plan/step.js';
import type { PodNetwork } from '../../types.js';

/**
 * A network by the user's manifests. What it sends between hosts, needs of their kernels and leaves on them, nobody here
 * knows.
 */
export const manifest: PodNetwork = {
  maker: 'nobody',
  makesCard: () => false,
  cniConfiguration: null,
  isBroughtLater: false,

  fixedPorts: [],
  listeners: () => [],
  flows: () => [],
  kernelFeatures: () => [],
  sysctls: () => ({}),
  packages: () => ({ install: [], hold: [] }),
  services: [],
  replaces: [],
  leaves: [],

  install: ({ network }, init) => [
    clusterStep('network', {
      phase: 'network',
      action: 'applyManifests',
      title: `Apply the pod network (${network.plugin})`,
      needs: [init],
    }),
  ],
};
