import { clusterStep } from '../../../plan/step.js';
import type { LoadBalancer } from '../../types.js';
import { addressOf } from './settings.js';

/** Somebody else's load balancer: it is there before the cluster, and nothing of it is on a host. */
export const external: LoadBalancer = {
  addressKey: 'address',
  address: addressOf,
  bindsEndpointPort: false,
  asksAsAdministrator: false,
  bundleOptions: '',
  hostRole: null,
  leadsLate: true,
  drilled: null,
  backendLog: null,
  answersOnControlPlanes: false,
  lookTitle: 'Ask the API through the load balancer',

  fixedPorts: [],
  listeners: () => [],
  // Where the balancer stands in the network nobody tells; the preflight asks it from each host.
  flows: () => [],
  kernelFeatures: () => [],
  sysctls: () => ({}),
  packages: () => ({ install: [], hold: [] }),
  services: [],
  replaces: [],
  leaves: [],

  staticPods: [],
  images: () => [],

  install: () => ({ steps: [], neededBy: () => [], neededByInit: [] }),
  begun: () => [],

  verify: (_, joined) => [
    clusterStep('endpoint', {
      phase: 'verify',
      action: 'verifyExternalEndpoint',
      title: 'Verify the API behind the external load balancer',
      needs: joined,
    }),
  ],
};
