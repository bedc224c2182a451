import { z } from 'zod';
import type { Check } from '../../../cluster/checks/index.js';
import { apiServerPort } from '../../../cluster/chosen-ports.js';
import { type Draft, type INVALID, isValid, pick } from '../../../cluster/resolve/draft.js';
import { integer, nodeName, wrong } from '../../../cluster/schema/forms.js';
import { optional, section } from '../../../cluster/schema/keys.js';
import type { LoadBalancerSchema, OnlyInBundle } from '../../schema-types.js';
import { resolveVirtualIp, VIP_FORM, virtualIpKeys } from '../virtual-ip/schema.js';
import type { VirtualIp } from '../virtual-ip/virtual-ip.js';
import { defaultVirtualRouterId, ENDPOINT_DEFAULTS } from './endpoint.js';

/** Key `source` of load balancers whose programs come from the bundle or from the distribution. */
export const programSource = () =>
  optional(
    z.enum(['bundle', 'distribution'], wrong('bundle or distribution')),
    "Where HAProxy and keepalived come from (with lvs: keepalived). bundle: with their libraries and Kubewright's own units, whatever the distribution has. distribution: its packages, and the default with packages.source repository.",
    'bundle',
  );

/** Programs of a bundle, where the section asks for them. */
export function ownPrograms({ source }: { source?: string }): OnlyInBundle | undefined {
  return source === 'bundle' ? { key: 'source', instead: 'distribution' } : undefined;
}

const endpointKeys = {
  ...virtualIpKeys,
  virtualRouterId: optional(
    integer('a whole number from 1 to 255', 1, 255),
    "VRRP id, different for every VRRP group on the network. Default: the VIP's last octet.",
  ),
  advertIntervalMs: optional(
    integer('milliseconds from 10 to 40950, a multiple of 10', 10, 40_950).multipleOf(
      10,
      wrong('milliseconds from 10 to 40950, a multiple of 10'),
    ),
    'Time between two VRRP advertisements, in milliseconds. A backup takes over after a little more than three.',
    ENDPOINT_DEFAULTS.advertIntervalMs,
  ),
  prefer: section(
    z.array(nodeName(), wrong('a list of names of control planes')),
    'Control planes that shall have the VIP before all others, the first one first: VRRP priorities. Default: as they stand in the file.',
  ),
};

type EndpointDraft =
  | Draft<Partial<VirtualIp> & { virtualRouterId?: number; advertIntervalMs?: number; prefer?: string[] | null }>
  | typeof INVALID
  | null;

const PORT = ['spec', 'endpoint', 'port'];
const PREFER = ['spec', 'endpoint', 'prefer'];

const checkPort: Check = (cluster, report) => {
  const port = apiServerPort(cluster);
  if (cluster.endpoint.port !== port) return;
  report.error(PORT, 'port-collides', {
    message: `the API server binds ${port} on every address of a control plane, the VIP's too; HAProxy there needs another`,
    expected: `a free port such as ${port === 8443 ? 6443 : 8443}`,
  });
};

const checkPrefer: Check = ({ endpoint, hosts }, report) => {
  const names = 'prefer' in endpoint ? (endpoint.prefer ?? []) : [];
  for (const [index, name] of names.entries()) {
    if (name === '') continue;
    const place = [...PREFER, index];
    if (names.indexOf(name) < index) {
      report.error(place, 'twice-preferred', { message: 'it stands in this list already', expected: 'each name once' });
    } else if (!hosts.some((host) => host.name === name && host.role === 'control-plane')) {
      report.error(place, 'unknown-host', {
        message: 'no control plane has this name, and others cannot have the VIP',
        expected: 'the name of a host with role control-plane',
      });
    }
  }
};

/** What every load balancer of HAProxy and keepalived on the control planes has in cluster.yaml. */
export const vrrpSchema = {
  endpointKeys,
  addressForm: VIP_FORM,
  endpointPort: ENDPOINT_DEFAULTS.port,
  checks: [checkPort, checkPrefer],
  resolveEndpoint(endpoint: EndpointDraft) {
    const virtualIp = resolveVirtualIp(endpoint);
    const { vip } = virtualIp;
    return {
      ...virtualIp,
      virtualRouterId: pick(endpoint, 'virtualRouterId', vip === undefined ? undefined : defaultVirtualRouterId(vip)),
      advertIntervalMs: pick(endpoint, 'advertIntervalMs', ENDPOINT_DEFAULTS.advertIntervalMs),
      ...resolvePrefer(pick(endpoint, 'prefer', null)),
    };
  },
} satisfies Partial<LoadBalancerSchema>;

/** Left out where it is not written, so that a cluster without it stays what it was. */
function resolvePrefer(names: (string | typeof INVALID)[] | null | undefined): { prefer?: string[] } {
  if (names == null || names.length === 0) return {};
  return { prefer: names.map((name) => (isValid(name) ? name : '')) };
}
