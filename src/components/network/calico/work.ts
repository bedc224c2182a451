import { one } from '../../../activities/applied/compare/one.js';
import type { Problem } from '../../../activities/prepare/checks/problem.js';
import { isNode } from '../../../cluster/roles.js';
import type { Cluster } from '../../../cluster/types.js';
import { quote } from '../../../hosts/shell.js';
import { NOTHING_TO_CHECK, type PodNetworkWork } from '../../work-types.js';
import { traceOf } from '../objects/inventory.js';
import { isMap } from '../objects/objects.js';
import { settingsOf } from './settings.js';

const ENVIRONMENT = '{.spec.template.spec.containers[?(@.name=="calico-node")].env}';

export const work: PodNetworkWork = {
  ...NOTHING_TO_CHECK,
  bundled: (_, role) => (isNode(role) ? ['calico'] : []),
  runsImage: (_, { network }) => network === 'calico',
  checkTogether: async ({ cluster }) => checkEncapsulation(cluster),

  question: (kubectl) =>
    `${kubectl} -n kube-system get daemonset calico-node --ignore-not-found -o ${quote(`jsonpath=${ENVIRONMENT}`)}`,
  trace: (kubectl) => traceOf(kubectl, 'calico'),

  read(text) {
    try {
      const env: unknown = JSON.parse(text);
      if (!Array.isArray(env)) return undefined;
      const variable = (name: string): unknown => env.filter(isMap).find((each) => each.name === name)?.value;
      const podSubnet = variable('CALICO_IPV4POOL_CIDR');
      if (typeof podSubnet !== 'string') return undefined;
      const isUsed = (name: string): boolean => (variable(name) ?? 'Never') !== 'Never';
      const encapsulation = isUsed('CALICO_IPV4POOL_VXLAN')
        ? 'vxlan'
        : isUsed('CALICO_IPV4POOL_IPIP')
          ? 'ipip'
          : 'none';
      return { podSubnet, settings: { encapsulation } };
    } catch {
      return undefined;
    }
  },

  compare(cluster, applied, podSubnet) {
    if (applied === undefined) {
      return { found: [], unchecked: ['spec.network.encapsulation: the cluster has no pod network yet'] };
    }
    const subnet =
      applied.podSubnet === podSubnet
        ? []
        : one('spec.kubernetes.podSubnet', applied.podSubnet, cluster.kubernetes.podSubnet);
    const { encapsulation } = applied.settings;
    return {
      found: [...subnet, ...one('spec.network.encapsulation', encapsulation, settingsOf(cluster).encapsulation)],
      unchecked: [],
    };
  },
};

/** BGP is asked for. What it gives routes to has no port: IP in IP is protocol 4, and plain packets are those of pods. */
export function checkEncapsulation(cluster: Cluster): Problem[] {
  const { encapsulation } = settingsOf(cluster);
  const alone = cluster.hosts.filter(({ role }) => isNode(role)).length < 2;
  if (alone || encapsulation === 'vxlan') return [];
  const what = encapsulation === 'ipip' ? 'IP in IP (protocol 4)' : 'plain packets of pods';
  return [
    {
      code: 'KW339',
      what: `it was not asked whether ${what} pass between the hosts: BGP alone was`,
      hint: `See that ${what} are let in between all nodes; clouds mostly drop both. With encapsulation vxlan it is proven.`,
      severity: 'warning',
      hosts: [],
    },
  ];
}
