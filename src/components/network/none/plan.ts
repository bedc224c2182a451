import type { PodNetwork } from '../../types.js';

/**
 * No network of Kubewright's: a person brings one when the cluster is there. What it needs of hosts, and what it leaves on
 * them, nobody here knows.
 */
export const none: PodNetwork = {
  maker: 'nobody',
  makesCard: () => false,
  cniConfiguration: null,
  isBroughtLater: true,

  fixedPorts: [],
  listeners: () => [],
  flows: () => [],
  kernelFeatures: () => [],
  sysctls: () => ({}),
  packages: () => ({ install: [], hold: [] }),
  services: [],
  replaces: [],
  leaves: [],

  install: () => [],
};
