import type { LabHost } from '../../lab/hosts/index.js';
import { until } from '../../lab/hosts/machine/run.js';
import type { LabCluster } from '../../lab/probes/cluster.js';
import type { Topology } from './topologies.js';

/** A director under emulation needs minutes for a boot. */
const LIMIT_MS = 600_000;

/**
 * Waits until a fault has left nothing behind: all nodes Ready, every API server and etcd member well, the virtual IP where it
 * belongs, and every control plane in the directors' tables.
 *
 * @throws Error with what was missing after ten minutes
 */
export async function waitUntilWhole(cluster: LabCluster, topology: Topology): Promise<void> {
  if (!(await cluster.whole(LIMIT_MS))) throw new Error('nodes, API servers or etcd were not well again in time');
  if (!(await until(() => addressRests(cluster, topology), LIMIT_MS, 200)))
    throw new Error('the virtual IP or the tables were not as before in time');
}

/** With VRRP the first control plane of the file takes the address back; a director takes nothing back. */
async function addressRests(cluster: LabCluster, { address }: Topology): Promise<boolean> {
  if (address === 'external') return true;
  const holders = await cluster.vipHolders();
  if (holders.length !== 1) return false;
  if (address === 'vrrp') return holders[0] === cluster.controlPlanes()[0];
  const directors = cluster.lab.hosts.filter(({ role }) => role === 'director');
  const tables = await Promise.all(directors.map((host) => tableOf(host)));
  return tables.every((table) => cluster.controlPlanes().every((host) => table.includes(inTable(host, cluster))));
}

async function tableOf(director: LabHost): Promise<string> {
  const { stdout } = await director.exec('cat /proc/net/ip_vs', { allowFailure: true });
  return stdout;
}

/** As the kernel writes a real server: address and port in hexadecimal. */
function inTable({ address }: LabHost, { ports }: LabCluster): string {
  const hex = (value: number, digits: number) => value.toString(16).toUpperCase().padStart(digits, '0');
  const octets = address.split('.').map((octet) => hex(Number(octet), 2));
  return `${octets.join('')}:${hex(ports.apiServer, 4)}`;
}
