import { isNode } from '../../../../cluster/roles.js';
import type { Cluster } from '../../../../cluster/types.js';
import { hasKubeProxy } from '../../../kube-proxy/mode.js';
import { apiAddressOf } from '../../../registry/plan.js';
import { HEALTHZ_PORT, OVERHEAD, settingsOf } from '../settings.js';

/** At most so many, on hosts of their own. */
const OPERATORS = 2;

/**
 * Values for Cilium's chart: what cluster.yaml says, and nothing that an agent would find out by itself. Everything else is as the
 * chart has it.
 *
 * - Each node's network is the one that Kubernetes has given it out of `podSubnet`.
 * - Agents ask the API at the endpoint: it is there before Services are, and survives any control plane.
 * - `MTU` is that of the network between the hosts, from which Cilium takes what a tunnel adds.
 * - Beside kube-proxy a pod's `hostPort` is the portmap plugin's, which every node has; in its place it is Cilium's own.
 * - Images are named by their tags, as the bundle has them.
 * - Hubble is left out: the certificates that the chart makes for it are others with each rendering.
 * - What changes here, agents and operators are started anew with.
 */
export function ciliumValues(cluster: Cluster): Record<string, unknown> {
  const { encapsulation, mtu } = settingsOf(cluster);
  const { kubernetes, endpoint, hosts } = cluster;
  const nodes = hosts.filter(({ role }) => isNode(role)).length;
  const replaces = !hasKubeProxy(kubernetes.kubeProxy);
  return {
    kubeProxyReplacement: String(replaces),
    ...(replaces ? { kubeProxyReplacementHealthzBindAddr: `0.0.0.0:${HEALTHZ_PORT}` } : {}),
    k8sServiceHost: apiAddressOf(cluster),
    k8sServicePort: String(endpoint.port),
    k8s: { requireIPv4PodCIDR: true },
    ipam: { mode: 'kubernetes' },
    ...ROUTING[encapsulation],
    ipv4NativeRoutingCIDR: kubernetes.podSubnet,
    MTU: mtu + OVERHEAD[encapsulation],
    // What others have put there stays; what sorts before Cilium's own is refused before the first change.
    cni: { exclusive: false, ...(replaces ? {} : { chainingMode: 'portmap' }) },
    rollOutCiliumPods: true,
    operator: { replicas: Math.min(OPERATORS, nodes), rollOutPods: true, image: BY_TAG },
    image: BY_TAG,
    envoy: { image: BY_TAG },
    hubble: { enabled: false },
  };
}

const BY_TAG = { useDigest: false };

/** Without a tunnel nodes of one network know the way to each other's pods; between networks routers have to. */
const ROUTING = {
  vxlan: { routingMode: 'tunnel', tunnelProtocol: 'vxlan' },
  geneve: { routingMode: 'tunnel', tunnelProtocol: 'geneve' },
  none: { routingMode: 'native', autoDirectNodeRoutes: true, directRoutingSkipUnreachable: true },
} as const;
