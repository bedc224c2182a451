import { hasKubeProxy } from '../../components/kube-proxy/mode.js';
import { ALL_ETCDS, loadBalancerOf, podNetworkOf } from '../../components/registry/plan.js';
import { apiServerPort, chosenPorts } from '../chosen-ports.js';
import type { Path } from '../path.js';
import type { Sketch } from '../resolve/draft.js';
import type { Cluster } from '../types.js';
import type { Check } from './index.js';

interface Listener {
  port: number;
  who: string;
  /** Where the user chose the port; undefined for ports that nobody can choose here. */
  path?: Path;
}

/** Ports of a control plane that cannot be chosen (kubernetes.io "Ports and Protocols", kubeadm's constants). */
const FIXED: Listener[] = [
  { port: 10_257, who: 'kube-controller-manager' },
  { port: 10_259, who: 'kube-scheduler' },
];

const KUBERNETES: Path = ['spec', 'kubernetes'];
const PORT: Path = ['spec', 'endpoint', 'port'];

/** kube-apiserver's default --service-node-port-range. */
const NODE_PORTS = { first: 30_000, last: 32_767 };

/** Everything on a control plane listens on a port of its own. */
export const checkPorts: Check = (cluster, report) => {
  const { port } = cluster.endpoint;
  const seen = new Map([...FIXED, ...portsOfComponents(cluster)].map((listener) => [listener.port, listener]));
  for (const listener of [apiServer(cluster), ...movedPorts(cluster), ...endpointPort(cluster)]) {
    const other = seen.get(listener.port);
    seen.set(listener.port, listener);
    if (other === undefined || listener.path === undefined) continue;
    report.error(listener.path, 'port-collides', {
      message: `${other.who} listens on port ${listener.port} of the control planes already`,
      expected: 'a free port',
    });
  }
  if (port !== undefined && bindsEndpointPort(cluster) && port >= NODE_PORTS.first && port <= NODE_PORTS.last) {
    report.warn(PORT, 'node-port', {
      message: 'this lies in the range of node ports: a service may get it',
      expected: `a port outside of ${NODE_PORTS.first} to ${NODE_PORTS.last}`,
    });
  }
};

/** Of the chosen load balancer and pod network, and of etcd wherever it runs. */
function portsOfComponents({ loadBalancer: { type }, network: { plugin } }: Sketch<Cluster>): Listener[] {
  const components = [
    ...ALL_ETCDS,
    ...(type === undefined ? [] : [loadBalancerOf({ loadBalancer: { type } })]),
    ...(plugin === undefined ? [] : [podNetworkOf({ network: { plugin } })]),
  ];
  return components.flatMap(({ fixedPorts }) => fixedPorts.map(({ port, use }) => ({ port, who: use })));
}

function apiServer(cluster: Sketch<Cluster>): Listener {
  return { port: apiServerPort(cluster), who: 'the API server', path: [...KUBERNETES, 'apiServer', 'port'] };
}

/** Whether the endpoint's port is one of the control planes'. */
function bindsEndpointPort({ loadBalancer: { type } }: Sketch<Cluster>): boolean {
  return type !== undefined && loadBalancerOf({ loadBalancer: { type } }).bindsEndpointPort;
}

/** One that the API server has is for the load balancer to judge. */
function endpointPort(cluster: Sketch<Cluster>): Listener[] {
  const { port } = cluster.endpoint;
  if (port === undefined || port === apiServerPort(cluster) || !bindsEndpointPort(cluster)) return [];
  return [{ port, who: 'the endpoint', path: PORT }];
}

function movedPorts(cluster: Sketch<Cluster>): Listener[] {
  const kubelet: Path = [...KUBERNETES, 'kubelet', 'config'];
  const proxy: Path = [...KUBERNETES, 'kubeProxy', 'config'];
  const ports = chosenPorts(cluster);
  const ofKubeProxy: Listener[] = [
    { port: ports.kubeProxyMetrics, who: 'kube-proxy (metrics)', path: [...proxy, 'metricsBindAddress'] },
    { port: ports.kubeProxyHealth, who: 'kube-proxy (health)', path: [...proxy, 'healthzBindAddress'] },
  ];
  const listeners: Listener[] = [
    { port: ports.kubelet, who: 'the kubelet', path: [...kubelet, 'port'] },
    { port: ports.kubeletHealth, who: "the kubelet's health check", path: [...kubelet, 'healthzPort'] },
    { port: ports.kubeletReadOnly, who: "the kubelet's read-only port", path: [...kubelet, 'readOnlyPort'] },
    ...(hasKubeProxy(cluster.kubernetes.kubeProxy) ? ofKubeProxy : []),
  ];
  return [...listeners.filter(({ port }) => port !== 0), ...sshPorts(cluster)];
}

function sshPorts({ hosts }: Sketch<Cluster>): Listener[] {
  const found = new Map<number, Listener>();
  for (const [index, { role, address, ssh }] of hosts.entries()) {
    // With an address of its own SSH may go through a port forwarding: then its port is another machine's.
    if (role !== 'control-plane' || ssh.port === undefined || ssh.address !== address) continue;
    if (found.has(ssh.port)) continue;
    found.set(ssh.port, { port: ssh.port, who: 'sshd', path: ['spec', 'hosts', index, 'ssh', 'port'] });
  }
  return [...found.values()];
}
