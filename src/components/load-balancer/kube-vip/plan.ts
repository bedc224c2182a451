import { KUBE_VIP_IMAGE } from '../../../bundle/image-names.js';
import { type Cluster, type ClusterHost, hostsOf } from '../../../cluster/types.js';
import { clusterStep, hostStep, idsOf } from '../../../plan/step.js';
import type { Step } from '../../../plan/types.js';
import type { LoadBalancer, Preparation } from '../../types.js';
import { manifestPath } from '../pods/places.js';
import { virtualIpOf } from '../virtual-ip/virtual-ip.js';
import { BUNDLE_OPTIONS, METRICS_PORT, POD } from './places.js';
import { settingsOf } from './settings.js';

/**
 * kube-vip as a static pod of every control plane: the one that holds a lease of the cluster has the virtual IP, where its own
 * API server answers. It is within `kubeadm init` that the first one comes up, with its kubelet; the others when their hosts
 * have joined.
 */
export const kubeVip: LoadBalancer = {
  addressKey: 'vip',
  address: (cluster) => virtualIpOf(cluster).vip,
  // The API server itself has it.
  bindsEndpointPort: false,
  hostRole: null,
  // The lease is in the API, so nobody has the virtual IP before the first API server is ready.
  leadsLate: true,
  drilled: { container: POD },
  // The virtual IP leads to the API server of its holder alone.
  backendLog: null,
  answersOnControlPlanes: false,
  lookTitle: 'Look who holds the virtual IP, and ask the API there',

  fixedPorts: [{ port: METRICS_PORT, use: "kube-vip's metrics" }],
  listeners: (_, role) =>
    role === 'control-plane' ? [{ protocol: 'tcp', port: METRICS_PORT, process: POD, use: "kube-vip's metrics" }] : [],
  // Who asks at the virtual IP asks an API server at its own port, as every node does anyway; and ARP has no port.
  flows: () => [],
  kernelFeatures: () => [],
  sysctls: () => ({}),
  packages: () => ({ install: [], hold: [] }),
  services: [],
  replaces: [],
  // What its steps write lies in Kubewright's own folder, or is one of kubeadm's manifests: both are told apart already.
  leaves: [],

  staticPods: [manifestPath(POD)],
  asksAsAdministrator: true,
  images: (cluster) => (isFromBundle(cluster) ? [`${KUBE_VIP_IMAGE}:`] : []),
  bundleOptions: BUNDLE_OPTIONS,
  install,

  begun(cluster, init) {
    const starts = hostsOf(cluster, 'control-plane')
      .slice(0, 1)
      .map((host) => startStep(host, init));
    const proof = clusterStep('virtual-ip', {
      phase: 'load-balancer',
      action: 'proveKubeVip',
      title: 'Prove that other hosts get an answer at the virtual IP',
      needs: idsOf(starts),
    });
    return [...starts, proof];
  },

  verify(cluster, joined) {
    const starts = hostsOf(cluster, 'control-plane')
      .slice(1)
      .map((host) => startStep(host, `${host.name}/join`));
    const endpoint = clusterStep('endpoint', {
      phase: 'verify',
      action: 'verifyKubeVip',
      title: 'Verify the virtual IP and the API behind it',
      needs: [...joined, ...idsOf(starts)],
    });
    return [...starts, endpoint];
  },
};

function isFromBundle(cluster: Pick<Cluster, 'loadBalancer'>): boolean {
  return settingsOf(cluster).image === null;
}

function install(cluster: Cluster): Preparation {
  const steps = hostsOf(cluster, 'control-plane').map((host) =>
    hostStep(host, 'load-balancer', {
      phase: 'load-balancer',
      action: 'writeKubeVip',
      title: `Write the static pod of kube-vip on ${host.name}`,
      // An image that the file names is pulled by the runtime, which is up by then.
      needs: [`${host.name}/${isFromBundle(cluster) ? 'system' : 'images'}`],
      timeoutMinutes: 20,
    }),
  );
  return { steps, neededBy: (host: ClusterHost) => [`${host.name}/load-balancer`], neededByInit: [] };
}

/** @param begun id of the host's `init` or `join`, with which its kubelet runs and its kubeconfig is there */
function startStep(host: ClusterHost, begun: string): Step {
  return hostStep(host, 'load-balancer-pods', {
    phase: 'load-balancer',
    action: 'startKubeVip',
    title: `Start kube-vip as a static pod on ${host.name}`,
    needs: [begun],
  });
}
