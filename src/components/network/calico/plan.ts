import { isNode } from '../../../cluster/roles.js';
import { type Cluster, hostsOf } from '../../../cluster/types.js';
import { clusterStep } from '../../../plan/step.js';
import { amongNodes, type Way } from '../../flows.js';
import { folders, type Leftover, paths } from '../../leftovers.js';
import type { KernelFeature, PodNetwork } from '../../types.js';
import { type Encapsulation, settingsOf } from './settings.js';

const CNI_CONFIGURATION = '10-calico.conflist';

const BGP: Way = { protocol: 'tcp', port: 179, use: 'pod network, BGP' };

/**
 * What nodes send to each other, as far as it can be asked for: IP in IP has no port (Calico's "Network requirements"). Felix's
 * VXLAN port is 4789.
 */
const WAYS: Readonly<Record<Encapsulation, Way>> = {
  vxlan: { protocol: 'udp', port: 4789, use: 'pod network, vxlan' },
  ipip: BGP,
  none: BGP,
};

const MODULES: Readonly<Record<Encapsulation, readonly string[]>> = { vxlan: ['vxlan'], ipip: ['ipip'], none: [] };

const wayOf = (cluster: Cluster): Way => WAYS[settingsOf(cluster).encapsulation];

/** Calico as its makers publish it for the Kubernetes datastore, without an operator. */
export const calico: PodNetwork = {
  maker: 'calico',
  makesCard: (name) => /^(cali.*|tunl0|vxlan\.calico|vxlan-v6\.calico)$/.test(name),
  cniConfiguration: CNI_CONFIGURATION,
  isBroughtLater: false,

  fixedPorts: [],
  listeners(cluster, role) {
    const way = wayOf(cluster);
    if (!isNode(role) || way.protocol === 'vrrp') return [];
    // The kernel itself listens for VXLAN.
    return [{ protocol: way.protocol, port: way.port, process: way.protocol === 'udp' ? '' : 'bird', use: 'calico' }];
  },
  flows: (cluster) => amongNodes(hostsOf(cluster, 'control-plane'), hostsOf(cluster, 'worker'), wayOf(cluster)),
  kernelFeatures(cluster, role) {
    if (!isNode(role)) return [];
    const names = [...MODULES[settingsOf(cluster).encapsulation], 'ip_set', 'xt_set'];
    return names.map((module): KernelFeature => ({ module, evidence: 'module', purpose: "Calico's data plane" }));
  },
  sysctls: () => ({}),
  packages: () => ({ install: [], hold: [] }),
  services: [],
  replaces: [],
  // Its cards, chains and data are told of any host that has them, as those of every other network (`OTHER_NETWORKS`).
  leaves: [
    ...paths(
      'calico',
      'residue',
      [`/etc/cni/net.d/${CNI_CONFIGURATION}`, '/etc/cni/net.d/calico-kubeconfig', '/var/log/calico'],
      'remove',
    ),
    ...['vxlan.calico', 'cali*'].map(
      (name): Leftover => ({ kind: 'interface', name, by: 'another pod network', means: 'trace' }),
    ),
    { kind: 'chain', name: 'cali-*', by: 'another pod network', means: 'trace' },
    ...folders('calico', ['/var/lib/calico', '/run/calico']),
  ],

  install: ({ network }, init) => [
    clusterStep('network', {
      phase: 'network',
      action: 'applyCalico',
      title: `Apply the pod network (${network.plugin})`,
      needs: [init],
    }),
  ],
};
