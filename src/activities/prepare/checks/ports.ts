import { apiServerPort, chosenPorts } from '../../../cluster/chosen-ports.js';
import { isNode } from '../../../cluster/roles.js';
import type { Cluster, Role } from '../../../cluster/types.js';
import { hasKubeProxy } from '../../../components/kube-proxy/mode.js';
import { componentsOf, runsContainers } from '../../../components/registry/plan.js';
import type { Listener } from '../../../components/types.js';
import type { Checked } from './index.js';
import { isOurs } from './ownership.js';
import { listed, type Problem } from './problem.js';

/** The kernel cuts the names of processes to 15 characters. */
const NAME_LENGTH = 15;

/** TCP ports that a host of this role listens on, and the process that will. */
export function portsOf(role: Role, cluster: Cluster): Map<number, string> {
  const chosen = chosenPorts(cluster);
  const ports = new Map<number, string>();
  const add = (owner: string, numbers: number[]) => {
    // 0: nothing listens there.
    for (const port of numbers) if (port !== 0) ports.set(port, owner);
  };
  if (runsContainers(cluster, role)) add('kubelet', [chosen.kubelet, chosen.kubeletHealth, chosen.kubeletReadOnly]);
  if (isNode(role) && hasKubeProxy(cluster.kubernetes.kubeProxy)) {
    add('kube-proxy', [chosen.kubeProxyMetrics, chosen.kubeProxyHealth]);
  }
  if (role === 'control-plane') {
    add('kube-apiserver', [apiServerPort(cluster)]);
    add('kube-controller-manager', [10257]);
    add('kube-scheduler', [10259]);
  }
  for (const { port, process } of listenersOf(role, cluster, 'tcp')) add(process, [port]);
  return ports;
}

function listenersOf(role: Role, cluster: Cluster, protocol: Listener['protocol']): Listener[] {
  const listeners = componentsOf(cluster).flatMap((component) => component.listeners(cluster, role));
  return listeners.filter((listener) => listener.protocol === protocol);
}

/** Every port must be free, unless this cluster's own component holds it. Each listener counts: a port may have several. */
export function checkPorts(checked: Checked): Problem[] {
  const { facts, host, cluster } = checked;
  const ours = isOurs(checked);
  const taken = [...portsOf(host.role, cluster)].flatMap(([port, owner]) =>
    facts.ports
      .filter((listener) => listener.port === port && !(ours && listener.process === owner.slice(0, NAME_LENGTH)))
      .map(({ process }) => `${port} (wanted by ${owner}) by ${process || 'an unknown process'}`),
  );
  // A socket of the kernel is the pod network's own device: an earlier one's is named as what is left of it.
  const takenOfPods = listenersOf(host.role, cluster, 'udp').flatMap(({ port, use }) =>
    facts.udpPorts
      .filter(
        (listener) => listener.port === port && !((ours || facts.leftovers.length > 0) && listener.process === ''),
      )
      .map(({ process }) => `UDP ${port} (wanted by ${use}) by ${process || 'the kernel'}`),
  );
  const all = [...new Set([...taken, ...takenOfPods])];
  if (all.length === 0) return [];
  return [
    {
      code: 'KW313',
      what: `${all.length === 1 ? 'a port is' : 'ports are'} taken: ${listed(all)}`,
      hint: 'Stop and disable these services (`ss -Hltnp` and `ss -Hlunp` name them), or use another host.',
    },
  ];
}
