import type { Cluster } from '../../../../../src/cluster/types.js';
import { clusterOf } from '../../../cluster-fixture.js';

/** Three control planes and two workers behind directors; the API is at 6443 everywhere. */
export function lvsCluster({ directors = 2, source = 'distribution' as 'bundle' | 'distribution' } = {}): Cluster {
  const cluster = clusterOf({ controlPlanes: 3, workers: 2, directors }, { loadBalancer: { type: 'lvs', source } });
  cluster.endpoint.port = 6443;
  return cluster;
}

/** `/proc/net/ip_vs` of a director that leads to the control planes with these last octets. */
export function tableOf(...octets: number[]): string {
  const hex = (octet: number) => octet.toString(16).toUpperCase().padStart(2, '0');
  const servers = octets.map((octet) => `  -> 0A5800${hex(octet)}:192B      Route   1      2          1         \n`);
  return `IP Virtual Server version 1.2.1 (size=4096)
Prot LocalAddress:Port Scheduler Flags
  -> RemoteAddress:Port Forward Weight ActiveConn InActConn
TCP  0A580063:0050 wlc 
  -> 0A58000B:0050      Masq    1      0          0         
TCP  0A580064:192B rr 
${servers.join('')}`;
}
