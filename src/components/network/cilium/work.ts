import { one } from '../../../activities/applied/compare/one.js';
import type { Problem } from '../../../activities/prepare/checks/problem.js';
import { isNode } from '../../../cluster/roles.js';
import type { Cluster } from '../../../cluster/types.js';
import { quote } from '../../../hosts/shell.js';
import { NOTHING_TO_CHECK, type PodNetworkWork } from '../../work-types.js';
import { traceOf } from '../objects/inventory.js';
import { settingsOf } from './settings.js';

/** Keys of the ConfigMap that the agents read, a line each. */
const FIELDS = ['ipv4-native-routing-cidr', 'routing-mode', 'tunnel-protocol'];
const QUESTION = `jsonpath=${FIELDS.map((name) => `{.data['${name}']}`).join('{"\\n"}')}`;

export const work: PodNetworkWork = {
  ...NOTHING_TO_CHECK,
  bundled: (_, role) => (isNode(role) ? ['cilium'] : []),
  runsImage: (_, { network }) => network === 'cilium',
  checkTogether: async ({ cluster }) => checkRouting(cluster),

  question: (kubectl) =>
    `${kubectl} -n kube-system get configmap cilium-config --ignore-not-found -o ${quote(QUESTION)}`,
  trace: (kubectl) => traceOf(kubectl, 'cilium'),

  read(text) {
    const [podSubnet, mode, tunnel] = text.split('\n');
    // One that somebody else has made may name no network of the pods.
    if (!podSubnet || !mode) return undefined;
    return { podSubnet, settings: { encapsulation: mode === 'native' ? 'none' : tunnel } };
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

/** Plain packets of pods have no port that could be asked for. */
export function checkRouting(cluster: Cluster): Problem[] {
  const alone = cluster.hosts.filter(({ role }) => isNode(role)).length < 2;
  if (alone || settingsOf(cluster).encapsulation !== 'none') return [];
  return [
    {
      code: 'KW339',
      what: 'it was not asked whether plain packets of pods pass between the hosts: they have no port',
      hint: 'See that packets of the pod network are let in between all nodes, and routed between their networks; clouds mostly drop them. With encapsulation vxlan or geneve it is proven.',
      severity: 'warning',
      hosts: [],
    },
  ];
}
