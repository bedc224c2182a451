import { onEachHost } from '../../../activities/each-host.js';
import { nodesOf } from '../../../activities/verify/verifyNodes.js';
import { apiServerPort } from '../../../cluster/chosen-ports.js';
import { endpointOf } from '../../../render/kubeadm.js';
import { type LoadBalancerWork, NOTHING_TO_CHECK } from '../../work-types.js';
import { viewFrom } from './preflight.js';
import { endpointProblems } from './problems.js';
import { endpointFaults } from './steps/verifyExternalEndpoint.js';

export const work: LoadBalancerWork = {
  ...NOTHING_TO_CHECK,

  async checkEndpoint({ cluster, hostNamed, signal }, peers) {
    const views = await onEachHost(nodesOf(cluster), ({ name }) => viewFrom(cluster, hostNamed(name), signal));
    return endpointProblems(cluster, peers, views);
  },

  look: async (context) => ({ faults: await endpointFaults(context) }),

  unobstructed: (cluster) => `${endpointOf(cluster)} leads to nobody else`,

  health: (cluster) => ({
    found: `the API answers at ${endpointOf(cluster)}`,
    hint: `The load balancer is not of this cluster: look at its own health checks, and that it passes TCP on to port ${apiServerPort(cluster)} of every control plane.`,
  }),
};
