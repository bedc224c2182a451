import type { Report } from '../report.js';
import type { Sketch } from '../resolve/draft.js';
import type { Cluster } from '../types.js';
import type { Check } from './index.js';
import { contains, edgeOf, parseNetwork, showNetwork, unusable } from './ip.js';

const VIP = ['spec', 'endpoint', 'vip'];
const PREFIX = ['spec', 'endpoint', 'prefixLength'];

/** The virtual IP as far as the file says it rightly; empty where the load balancer has none. */
export function virtualIpIn({ endpoint }: Sketch<Cluster>): {
  vip?: string | undefined;
  prefixLength?: number | undefined;
} {
  return 'vip' in endpoint ? endpoint : {};
}

/** The VIP: an address that no machine has, in the subnet of the control planes between which it moves. */
export const checkEndpoint: Check = (cluster, report) => {
  const { vip, prefixLength } = virtualIpIn(cluster);
  if (vip === undefined) return;
  const reason = unusable(vip);
  if (reason !== undefined) {
    const expected = "a free address in the control planes' subnet";
    report.error(VIP, 'unusable-address', { message: `this address ${reason}`, expected });
    return;
  }
  checkNobodyHasIt(vip, cluster, report);
  if (prefixLength === undefined) return;
  const edge = edgeOf(vip, prefixLength);
  if (edge !== undefined) {
    report.error(VIP, 'vip-is-edge', {
      message: `this is the ${edge} address of ${showNetwork(parseNetwork(`${vip}/${prefixLength}`))}`,
      expected: 'an address between the first and the last of the subnet',
    });
  }
  checkSubnet(vip, prefixLength, cluster, report);
};

function checkNobodyHasIt(vip: string, { hosts }: Sketch<Cluster>, report: Report): void {
  for (const [index, host] of hosts.entries()) {
    const isOwn = host.address === vip;
    if (!isOwn && host.ssh.address !== vip && host.ssh.bastion?.address !== vip) continue;
    const line = report.line(['spec', 'hosts', index, isOwn ? 'address' : 'ssh']);
    const of = isOwn ? 'the address' : 'an SSH address';
    report.error(VIP, 'vip-is-host', {
      message: `this is ${of} of ${host.name ?? 'a host'} (line ${line})`,
      expected: 'an address that no machine has',
    });
    return;
  }
}

/** VRRP and the ARP that announces the VIP stay within one subnet; workers and etcd hosts may be elsewhere. */
function checkSubnet(vip: string, prefixLength: number, { hosts }: Sketch<Cluster>, report: Report): void {
  const subnet = parseNetwork(`${vip}/${prefixLength}`);
  const outside = hosts.flatMap(({ role, address, name }, index) => {
    if (role !== 'control-plane' || address === undefined || unusable(address) !== undefined) return [];
    return contains(subnet, address) ? [] : [{ index, name: name ?? `host ${index}`, address }];
  });
  const controlPlanes = hosts.filter((host) => host.role === 'control-plane').length;
  const [first] = outside;
  if (first === undefined) return;
  const hint = report.written(PREFIX) ? '' : ' (or spec.endpoint.prefixLength, when the subnet is not a /24)';
  if (outside.length === controlPlanes) {
    report.error(VIP, 'vip-outside-subnet', {
      message: `no control plane is in this address's subnet ${showNetwork(subnet)}; ${first.name} has ${first.address}`,
      expected: `an address in the control planes' subnet${hint}`,
    });
    return;
  }
  for (const { index } of outside) {
    report.error(['spec', 'hosts', index, 'address'], 'outside-vip-subnet', {
      message: `this control plane is not in the VIP's subnet ${showNetwork(subnet)}, so it could never hold the VIP`,
      expected: `an address in ${showNetwork(subnet)}${hint}`,
    });
  }
}

/** Addresses of hosts that are no machine's because they begin or end the subnet that they share with the VIP. */
export const checkEdges: Check = (cluster, report) => {
  const { vip, prefixLength } = virtualIpIn(cluster);
  if (vip === undefined || prefixLength === undefined) return;
  const subnet = parseNetwork(`${vip}/${prefixLength}`);
  for (const [index, { address }] of cluster.hosts.entries()) {
    if (address === undefined || !contains(subnet, address)) continue;
    const edge = edgeOf(address, prefixLength);
    if (edge === undefined) continue;
    report.error(['spec', 'hosts', index, 'address'], 'address-is-edge', {
      message: `this is the ${edge} address of ${showNetwork(subnet)}`,
      expected: 'an address between the first and the last of the subnet',
    });
  }
};
