import { isNode } from '../../../cluster/roles.js';
import { hostsOf } from '../../../cluster/types.js';
import { clusterStep } from '../../../plan/step.js';
import { amongNodes } from '../../flows.js';
import { type Leftover, paths } from '../../leftovers.js';
import type { PodNetwork } from '../../types.js';
import { featureOfBackend, wayOfNetwork } from './backend.js';

const CNI_CONFIGURATION = '10-flannel.conflist';

/** flannel as a DaemonSet, from the manifest of the bundle. */
export const flannel: PodNetwork = {
  maker: 'flannel',
  makesCard: (name) => /^(cni0|flannel[.-].*)$/.test(name),
  cniConfiguration: CNI_CONFIGURATION,
  isBroughtLater: false,

  fixedPorts: [],
  listeners(cluster, role) {
    const way = wayOfNetwork(cluster);
    if (!isNode(role) || way === undefined) return [];
    return [{ protocol: 'udp', port: way.port, process: '', use: 'flannel' }];
  },
  flows(cluster) {
    const way = wayOfNetwork(cluster);
    if (way === undefined) return [];
    return amongNodes(hostsOf(cluster, 'control-plane'), hostsOf(cluster, 'worker'), way);
  },
  kernelFeatures(cluster, role) {
    const feature = featureOfBackend(cluster);
    return !isNode(role) || feature === undefined ? [] : [feature];
  },
  sysctls: () => ({}),
  packages: () => ({ install: [], hold: [] }),
  services: [],
  replaces: [],
  leaves: [
    // A bridge whose address is not of the new node's network is an error of the bridge plugin, for every pod.
    { kind: 'interface', name: 'cni0', by: 'flannel', means: 'trace', cleanUp: 'remove' },
    ...['flannel.*', 'flannel-v6.*', 'flannel-wg'].map(
      (name): Leftover => ({ kind: 'interface', name, by: 'flannel', means: 'residue', cleanUp: 'remove' }),
    ),
    ...paths('flannel', 'residue', [`/etc/cni/net.d/${CNI_CONFIGURATION}`, '/var/lib/cni', '/run/flannel'], 'remove'),
    // Its rules are told as what Kubernetes leaves: which of the two has left a chain, nobody can say from its name.
    ...['CNI-*', 'FLANNEL-*'].map((name): Leftover => ({ kind: 'chain', name, by: 'kubernetes', means: 'residue' })),
    ...['ip/flannel-ipv4', 'ip6/flannel-ipv6'].map(
      (name): Leftover => ({ kind: 'table', name, by: 'flannel', means: 'residue' }),
    ),
  ],

  install: ({ network }, init) => [
    clusterStep('network', {
      phase: 'network',
      action: 'applyNetwork',
      title: `Apply the pod network (${network.plugin})`,
      needs: [init],
    }),
  ],
};
