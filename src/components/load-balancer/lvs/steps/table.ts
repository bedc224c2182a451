import type { Cluster } from '../../../../cluster/types.js';
import { virtualIpOf } from '../../virtual-ip/virtual-ip.js';

/** A real server in the kernel's table, as far as it matters here. */
export interface TableEntry {
  address: string;
  port: number;
  /** `Route` is direct routing. */
  forward: string;
  weight: number;
}

/**
 * Real servers of the cluster's virtual server in `/proc/net/ip_vs`; undefined where there is no such virtual server. The
 * kernel writes addresses and ports in hexadecimal: `0A580064:192B` is 10.88.0.100:6443.
 */
export function realServersIn(table: string, cluster: Pick<Cluster, 'endpoint'>): TableEntry[] | undefined {
  const { vip, port } = virtualIpOf(cluster);
  let servers: TableEntry[] | undefined;
  let isOurs = false;
  for (const line of table.split('\n')) {
    const [first = '', place = '', forward = '', weight = ''] = line.trim().split(/\s+/);
    const where = placeOf(place);
    if (first !== '->') {
      isOurs = first === 'TCP' && where?.address === vip && where.port === port;
      if (isOurs) servers = [];
    } else if (isOurs && where !== undefined) servers?.push({ ...where, forward, weight: Number(weight) });
  }
  return servers;
}

function placeOf(text: string): { address: string; port: number } | undefined {
  const [, address, port] = /^([0-9A-F]{8}):([0-9A-F]{4})$/i.exec(text) ?? [];
  if (address === undefined || port === undefined) return undefined;
  const octets = address.match(/../g) ?? [];
  return { address: octets.map((octet) => Number.parseInt(octet, 16)).join('.'), port: Number.parseInt(port, 16) };
}
