import { LOAD_BALANCER_IMAGE } from '../../../bundle/image-names.js';
import { type Cluster, type ClusterHost, hostsOf } from '../../../cluster/types.js';
import { hostStep, idsOf } from '../../../plan/step.js';
import type { Step } from '../../../plan/types.js';
import type { LoadBalancer, Preparation } from '../../types.js';
import { manifestPath } from '../pods/places.js';
import { endpointStep, haproxyLog, virtualIpStep, vrrpNeeds } from '../vrrp/plan.js';
import { PODS } from './places.js';
import { ownImages } from './settings.js';

/**
 * HAProxy and keepalived as static pods: of every control plane, for one that has them alone would take the endpoint with it.
 * The first ones come up within `kubeadm init`, with its kubelet; the others when their hosts have joined through them.
 */
export const staticPods: LoadBalancer = {
  ...vrrpNeeds,
  leadsLate: true,
  drilled: { container: 'haproxy' },
  backendLog: haproxyLog({ container: 'haproxy' }),
  packages: () => ({ install: [], hold: [] }),
  services: [],
  replaces: [],
  // What its steps write lies in Kubewright's own folder, or is one of kubeadm's manifests: both are told apart already.
  leaves: [],
  staticPods: PODS.map(manifestPath),
  images: (cluster) => (ownImages(cluster) === null ? [`${LOAD_BALANCER_IMAGE}:`] : []),
  install,

  begun(cluster, init) {
    const starts = hostsOf(cluster, 'control-plane')
      .slice(0, 1)
      .map((host) => startStep(host, init));
    return [...starts, virtualIpStep(idsOf(starts))];
  },

  verify(cluster, joined) {
    const starts = hostsOf(cluster, 'control-plane')
      .slice(1)
      .map((host) => startStep(host, `${host.name}/join`));
    return [...starts, endpointStep([...joined, ...idsOf(starts)])];
  },
};

function install(cluster: Cluster): Preparation {
  const steps = hostsOf(cluster, 'control-plane').map((host) =>
    hostStep(host, 'load-balancer', {
      phase: 'load-balancer',
      action: 'writeBalancerPods',
      title: `Write the static pods of HAProxy and keepalived on ${host.name}`,
      // Images that the file names are pulled by the runtime, which is up by then.
      needs: [`${host.name}/${ownImages(cluster) === null ? 'system' : 'images'}`],
      timeoutMinutes: 20,
    }),
  );
  return { steps, neededBy: (host: ClusterHost) => [`${host.name}/load-balancer`], neededByInit: [] };
}

/** @param begun id of the host's `init` or `join`, with which its kubelet runs */
function startStep(host: ClusterHost, begun: string): Step {
  return hostStep(host, 'load-balancer-pods', {
    phase: 'load-balancer',
    action: 'startBalancerPods',
    title: `Start HAProxy and keepalived as static pods on ${host.name}`,
    needs: [begun],
  });
}
