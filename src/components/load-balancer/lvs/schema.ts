import { virtualIpIn } from '../../../cluster/checks/endpoint.js';
import type { Check } from '../../../cluster/checks/index.js';
import { contains, parseNetwork, showNetwork } from '../../../cluster/checks/ip.js';
import { apiServerPort } from '../../../cluster/chosen-ports.js';
import type { Report } from '../../../cluster/report.js';
import { type Draft, type INVALID, pick, type Sketch } from '../../../cluster/resolve/draft.js';
import type { Cluster } from '../../../cluster/types.js';
import { API_SERVER_PORT } from '../../../render/kubeadm-paths.js';
import type { LoadBalancerSchema, Surroundings } from '../../schema-types.js';
import { ownPrograms, programSource, vrrpSchema } from '../vrrp/schema.js';
import type { LvsSettings } from './settings.js';

type SectionDraft = Draft<{ source?: LvsSettings['source'] }> | typeof INVALID | null;

const PORT = ['spec', 'endpoint', 'port'];
const HOSTS = ['spec', 'hosts'];

/** Direct routing changes nothing in a packet, its port neither. */
const checkPort: Check = (cluster, report) => {
  const { port } = cluster.endpoint;
  const wanted = apiServerPort(cluster);
  if (port === undefined || port === wanted) return;
  report.error(PORT, 'port-differs', {
    message: `with direct routing the port of the virtual IP is the API server's, which is ${wanted}`,
    expected: `${wanted}, or the same in spec.kubernetes.apiServer.port`,
  });
};

/** Directors share a wire with the control planes, and are none of them. */
const checkDirectors: Check = (cluster, report) => {
  const directors = cluster.hosts.filter(({ role }) => role === 'director');
  if (directors.length === 1) {
    report.warn(HOSTS, 'single-director', {
      message: 'with one director there is no high availability: when it fails, nobody finds the API',
      expected: 'two of them',
      found: '',
      at: 'key',
    });
  }
  for (const [index, { role }] of cluster.hosts.entries()) {
    if (role !== 'director') continue;
    checkDistinct(cluster, index, report);
    checkSubnet(cluster, index, report);
  }
};

/** A control plane sends what it has for the virtual IP to itself, and IPVS there would answer for the others. */
function checkDistinct({ hosts }: Sketch<Cluster>, index: number, report: Report): void {
  const director = hosts[index];
  const machines = new Set([director?.address, director?.ssh.address]);
  machines.delete(undefined);
  const other = hosts.findIndex(
    ({ role, address, ssh }, place) =>
      place !== index && role !== 'director' && (machines.has(address) || machines.has(ssh.address)),
  );
  const node = hosts[other];
  if (node === undefined) return;
  const line = report.line([...HOSTS, other]);
  report.error([...HOSTS, index, 'role'], 'director-is-node', {
    message: `this is the machine of ${node.name ?? 'another host'} (${node.role ?? 'another role'}, line ${line}): a director stands outside of the cluster`,
    expected: 'a host of its own, which has no other role',
  });
}

function checkSubnet(cluster: Sketch<Cluster>, index: number, report: Report): void {
  const { vip, prefixLength } = virtualIpIn(cluster);
  const address = cluster.hosts[index]?.address;
  if (vip === undefined || prefixLength === undefined || address === undefined) return;
  const subnet = parseNetwork(`${vip}/${prefixLength}`);
  if (contains(subnet, address)) return;
  report.error([...HOSTS, index, 'address'], 'outside-vip-subnet', {
    message: `this director is not in the VIP's subnet ${showNetwork(subnet)}: it hands packets to the control planes' network cards, with no router between`,
    expected: `an address in ${showNetwork(subnet)}`,
  });
}

export const schema = {
  ...vrrpSchema,
  description:
    'LVS on the hosts with role director, outside of the cluster: direct routing to the API servers, and keepalived for the VIP.',
  keys: { source: programSource() },
  endpointPort: API_SERVER_PORT,
  resolve: (loadBalancer: SectionDraft, around: Surroundings) => ({
    source: pick(loadBalancer, 'source', around.programSource),
  }),
  onlyInBundle: ownPrograms,
  checks: [checkPort, checkDirectors],
} satisfies LoadBalancerSchema;
