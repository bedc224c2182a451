import type { Check } from '../../../cluster/checks/index.js';
import { contains, isIpv4, parseNetwork, showNetwork, unusable } from '../../../cluster/checks/ip.js';
import type { Path } from '../../../cluster/path.js';
import type { Report } from '../../../cluster/report.js';
import { type Draft, type INVALID, pick, type Sketch } from '../../../cluster/resolve/draft.js';
import { apiAddress } from '../../../cluster/schema/forms.js';
import { optional } from '../../../cluster/schema/keys.js';
import type { Cluster } from '../../../cluster/types.js';
import type { LoadBalancerSchema } from '../../schema-types.js';
import { ENDPOINT_DEFAULTS, type ExternalEndpoint } from './settings.js';

const ADDRESS: Path = ['spec', 'endpoint', 'address'];
const ADDRESS_FORM = 'an IPv4 address or a DNS name such as api.example.org, in lower case';

const checkAddress: Check = (cluster, report) => {
  const address = 'address' in cluster.endpoint ? cluster.endpoint.address : undefined;
  if (address === undefined) return;
  if (!isIpv4(address)) return checkName(address, cluster, report);
  const reason = unusable(address);
  if (reason !== undefined) {
    const expected = 'the address at which all hosts reach the load balancer';
    report.error(ADDRESS, 'unusable-address', { message: `this address ${reason}`, expected });
    return;
  }
  checkNetworks(address, cluster, report);
  checkHost(address, cluster, report);
};

/** A number in the last place makes it an address that was mistyped, which no resolver takes (RFC 3696, section 2). */
function checkName(name: string, { hosts }: Sketch<Cluster>, report: Report): void {
  if (/(^|\.)[0-9]+$/.test(name)) {
    report.error(ADDRESS, 'bad-value', { message: 'is neither an address nor a name', expected: ADDRESS_FORM });
    return;
  }
  const index = hosts.findIndex((host) => host.name === name);
  if (index < 0 || controlPlanesOf(hosts) < 2) return;
  reportHost(index, `the name of ${name}`, report);
}

function checkNetworks(address: string, { kubernetes }: Sketch<Cluster>, report: Report): void {
  const networks = [
    { whose: 'pods', subnet: kubernetes.podSubnet },
    { whose: 'services', subnet: kubernetes.serviceSubnet },
  ];
  for (const { whose, subnet } of networks) {
    if (subnet === undefined || !contains(parseNetwork(subnet), address)) continue;
    report.error(ADDRESS, 'networks-overlap', {
      message: `this lies in the network of the ${whose} (${showNetwork(parseNetwork(subnet))}), where no host would find it`,
      expected: 'an address outside of it, or another network there',
    });
  }
}

/** With one control plane its own address is as good as any. */
function checkHost(address: string, { hosts }: Sketch<Cluster>, report: Report): void {
  const index = hosts.findIndex((host) => host.address === address);
  const host = hosts[index];
  if (host === undefined || (host.role === 'control-plane' && controlPlanesOf(hosts) < 2)) return;
  reportHost(index, `the address of ${host.name ?? 'a host'}`, report);
}

function controlPlanesOf(hosts: Sketch<Cluster>['hosts']): number {
  return hosts.filter(({ role }) => role === 'control-plane').length;
}

function reportHost(index: number, is: string, report: Report): void {
  report.error(ADDRESS, 'endpoint-is-host', {
    message: `this is ${is} (line ${report.line(['spec', 'hosts', index])}): without that host nobody would find the API`,
    expected: 'a load balancer that leads to every control plane',
  });
}

export const schema = {
  description:
    'one that is there already, at endpoint.address (no VIP): nothing of it is installed, and it is asked from every node.',
  keys: {},
  endpointKeys: {
    address: optional(
      apiAddress(ADDRESS_FORM),
      'IPv4 address or DNS name of an external load balancer, which passes TCP on to the API server of every control plane.',
    ),
  },
  addressForm: ADDRESS_FORM,
  endpointPort: ENDPOINT_DEFAULTS.port,
  resolve: () => ({}),
  checks: [checkAddress],
  resolveEndpoint: (endpoint: Draft<Partial<ExternalEndpoint>> | typeof INVALID | null) => ({
    address: pick(endpoint, 'address', undefined),
  }),
} satisfies LoadBalancerSchema;
