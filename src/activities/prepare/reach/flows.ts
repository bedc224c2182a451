import { apiServerPort, chosenPorts } from '../../../cluster/chosen-ports.js';
import { type Cluster, hostsOf } from '../../../cluster/types.js';
import { between, type Flow, type Way } from '../../../components/flows.js';
import { componentsOf } from '../../../components/registry/plan.js';

/** `TCP 6443 (API server)`. */
export function nameOf(way: Way): string {
  return way.protocol === 'vrrp'
    ? `IP protocol 112 (${way.use})`
    : `${way.protocol.toUpperCase()} ${way.port} (${way.use})`;
}

const ORDER: Record<Way['protocol'], number> = { tcp: 0, udp: 1, vrrp: 2 };

/**
 * Everything that hosts of this cluster will say to each other, directed, without what a host says to itself: what
 * Kubernetes itself says, and what its components do. Connections come first.
 */
export function flowsOf(cluster: Cluster): Flow[] {
  const controlPlanes = hostsOf(cluster, 'control-plane');
  const nodes = [...controlPlanes, ...hostsOf(cluster, 'worker')];
  const flows: Flow[] = [
    ...between(nodes, controlPlanes, { protocol: 'tcp', port: apiServerPort(cluster), use: 'API server' }),
    ...componentsOf(cluster).flatMap((component) => component.flows(cluster)),
    ...between(controlPlanes, nodes, { protocol: 'tcp', port: chosenPorts(cluster).kubelet, use: 'kubelet' }),
  ];
  return flows.sort((a, b) => ORDER[a.protocol] - ORDER[b.protocol]);
}
