import { type ClusterHost, hostsOf } from '../../../cluster/types.js';
import { clusterStep } from '../../../plan/step.js';
import type { Step } from '../../../plan/types.js';
import { between } from '../../flows.js';
import type { BackendLog, DrilledProgram, LoadBalancer } from '../../types.js';
import { virtualIpOf } from '../virtual-ip/virtual-ip.js';
import { HAPROXY_MONITOR_PORT } from './render/haproxy.js';

/** What HAProxy and keepalived on every control plane need of hosts, however they are run there. */
export const vrrpNeeds = {
  hostRole: null,
  addressKey: 'vip',
  address: (cluster) => virtualIpOf(cluster).vip,
  bindsEndpointPort: true,
  asksAsAdministrator: false,
  bundleOptions: '',
  answersOnControlPlanes: false,
  lookTitle: 'Look who holds the virtual IP, and ask the API there',

  fixedPorts: [{ port: HAPROXY_MONITOR_PORT, use: "HAProxy's monitor" }],
  listeners({ endpoint }, role) {
    if (role !== 'control-plane') return [];
    return [
      { protocol: 'tcp', port: endpoint.port, process: 'haproxy', use: 'HAProxy' },
      { protocol: 'tcp', port: HAPROXY_MONITOR_PORT, process: 'haproxy', use: "HAProxy's monitor" },
    ];
  },

  flows(cluster) {
    const controlPlanes = hostsOf(cluster, 'control-plane');
    const nodes = [...controlPlanes, ...hostsOf(cluster, 'worker')];
    return [
      ...between(nodes, controlPlanes, { protocol: 'tcp', port: cluster.endpoint.port, use: 'endpoint' }),
      ...between(controlPlanes, controlPlanes, { protocol: 'vrrp', use: 'VRRP' }),
    ];
  },

  kernelFeatures: () => [],

  // HAProxy and keepalived start in any order on every control plane, also where the VIP is not at the moment.
  sysctls: (role): Record<string, string> => (role === 'control-plane' ? { 'net.ipv4.ip_nonlocal_bind': '1' } : {}),
} satisfies Partial<LoadBalancer>;

/** @param needs steps behind which the first control plane can have the virtual IP */
export function virtualIpStep(needs: string[]): Step {
  return clusterStep('virtual-ip', {
    phase: 'load-balancer',
    action: 'proveVirtualIp',
    title: 'Prove that other hosts get an answer at the virtual IP',
    needs,
  });
}

/** @param joined ids of every host's `init` or `join` */
export function endpointStep(joined: string[]): Step {
  return clusterStep('endpoint', {
    phase: 'verify',
    action: 'verifyEndpoint',
    title: 'Verify the virtual IP and the API behind it',
    needs: joined,
  });
}

/** HAProxy's own words (server.c), of the servers that are asked whether they are ready. */
export function haproxyLog(program: DrilledProgram): BackendLog {
  const line = ({ name }: ClusterHost, state: string) => `Server ready/${name.replaceAll('.', '\\.')} is ${state}`;
  return { program, left: (host) => line(host, 'DOWN'), returned: (host) => line(host, 'UP') };
}
