import type { Cluster, Role } from '../../../cluster/types.js';
import type { Checked } from './index.js';
import { isOurs } from './ownership.js';
import { listed, type Problem } from './problem.js';

/** The kernel cuts the names of processes to 15 characters. */
const NAME_LENGTH = 15;

/** TCP ports that a host of this role listens on, and the process that will. */
export function portsOf(role: Role, { endpoint, etcd }: Pick<Cluster, 'endpoint' | 'etcd'>): Map<number, string> {
  const ports = new Map([[10250, 'kubelet']]);
  const holdsEtcd = role === 'etcd' || (role === 'control-plane' && etcd.topology === 'stacked');
  if (holdsEtcd) for (const port of [2379, 2380, 2381]) ports.set(port, 'etcd');
  if (role === 'etcd') return ports;
  for (const port of [10249, 10256]) ports.set(port, 'kube-proxy');
  if (role === 'worker') return ports;
  ports.set(6443, 'kube-apiserver');
  ports.set(10257, 'kube-controller-manager');
  ports.set(10259, 'kube-scheduler');
  ports.set(endpoint.port, 'haproxy');
  return ports;
}

/** Every port must be free, unless this cluster's own component holds it. */
export function checkPorts(checked: Checked): Problem[] {
  const ours = isOurs(checked);
  const taken: string[] = [];
  for (const [port, owner] of portsOf(checked.host.role, checked.cluster)) {
    const holder = checked.facts.ports.find((listener) => listener.port === port);
    if (holder === undefined) continue;
    if (ours && holder.process === owner.slice(0, NAME_LENGTH)) continue;
    taken.push(`${port} (wanted by ${owner}) by ${holder.process || 'an unknown process'}`);
  }
  if (taken.length === 0) return [];
  return [
    {
      code: 'KW313',
      what: `${taken.length === 1 ? 'a port is' : 'ports are'} taken: ${listed(taken)}`,
      hint: 'Stop and disable these services (`ss -Hltnp` names them), or use another host.',
    },
  ];
}
