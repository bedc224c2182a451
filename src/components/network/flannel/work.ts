import { one } from '../../../activities/applied/compare/one.js';
import { isMap } from '../../../activities/applied/parse.js';
import type { Problem } from '../../../activities/prepare/checks/problem.js';
import { isNode } from '../../../cluster/roles.js';
import type { Cluster } from '../../../cluster/types.js';
import { quote } from '../../../hosts/shell.js';
import { NOTHING_TO_CHECK, type PodNetworkWork } from '../../work-types.js';
import { FLANNEL_MANIFEST } from '../published.js';
import { typeOfBackend, wayOfNetwork } from './backend.js';
import {
  CONTENT_HASH_ANNOTATION,
  FLANNEL_CONFIG_MAP,
  FLANNEL_DAEMONSET,
  FLANNEL_NAMESPACE,
  MANIFEST,
} from './render/manifest.js';
import { settingsOf } from './settings.js';

export const work: PodNetworkWork = {
  ...NOTHING_TO_CHECK,
  published: () => [
    {
      path: MANIFEST,
      url: `https://raw.githubusercontent.com${FLANNEL_MANIFEST.path}`,
      sha256: FLANNEL_MANIFEST.sha256,
      images: FLANNEL_MANIFEST.images,
    },
  ],
  // Bundles have its images for everybody.
  runsImage: () => false,
  checkTogether: async ({ cluster }) => checkBackend(cluster),

  question: (kubectl) =>
    `${kubectl} -n ${FLANNEL_NAMESPACE} get configmap ${FLANNEL_CONFIG_MAP} --ignore-not-found -o ${quote('jsonpath={.data.net-conf\\.json}')}`,

  trace: (kubectl) =>
    `${kubectl} -n ${FLANNEL_NAMESPACE} get daemonset ${FLANNEL_DAEMONSET} --ignore-not-found -o ${quote(`jsonpath={.metadata.annotations.${CONTENT_HASH_ANNOTATION.replaceAll('.', '\\.')}}`)}`,

  read(text) {
    try {
      const network: unknown = JSON.parse(text);
      if (!isMap(network) || typeof network.Network !== 'string') return undefined;
      return { podSubnet: network.Network, settings: isMap(network.Backend) ? network.Backend : {} };
    } catch {
      return undefined;
    }
  },

  compare(cluster, applied, podSubnet) {
    if (applied === undefined) {
      return { found: [], unchecked: ['spec.network.backend: the cluster has no pod network yet'] };
    }
    // flannel's own word on the pod network, where it is another one than kubeadm's.
    const subnet =
      applied.podSubnet === podSubnet
        ? []
        : one('spec.kubernetes.podSubnet', applied.podSubnet, cluster.kubernetes.podSubnet);
    const backend = one('spec.network.backend', applied.settings, settingsOf(cluster).backend);
    return { found: [...subnet, ...backend], unchecked: [] };
  },
};

/** A backend of the pod network whose packets nobody knows how to ask for. flannel's host-gw needs no port. */
export function checkBackend(cluster: Cluster): Problem[] {
  const type = typeOfBackend(cluster);
  const alone = cluster.hosts.filter(({ role }) => isNode(role)).length < 2;
  if (alone || type === 'host-gw' || wayOfNetwork(cluster) !== undefined) return [];
  return [
    {
      code: 'KW339',
      what: `it was not asked whether the packets of the pod network pass between the hosts: its backend ${type} is not known to this check`,
      hint: 'See that whatever it uses is let in between all nodes.',
      severity: 'warning',
      hosts: [],
    },
  ];
}
