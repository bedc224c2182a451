import type { PodNetwork } from '../types.js';

/**
 * Of a network that others make: what it sends between hosts, needs of their kernels and leaves on them, nobody here
 * knows.
 */
export const NOTHING_KNOWN: Omit<PodNetwork, 'isBroughtLater' | 'install'> = {
  maker: 'nobody',
  makesCard: () => false,
  cniConfiguration: null,
  fixedPorts: [],
  listeners: () => [],
  flows: () => [],
  kernelFeatures: () => [],
  sysctls: () => ({}),
  packages: () => ({ install: [], hold: [] }),
  services: [],
  replaces: [],
  leaves: [],
};
