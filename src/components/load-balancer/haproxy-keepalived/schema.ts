import { z } from 'zod';
import type { Check } from '../../../cluster/checks/index.js';
import { type Draft, type INVALID, pick } from '../../../cluster/resolve/draft.js';
import { integer, wrong } from '../../../cluster/schema/forms.js';
import { optional } from '../../../cluster/schema/keys.js';
import { API_SERVER_PORT } from '../../../render/kubeadm-paths.js';
import type { LoadBalancerSchema } from '../../schema-types.js';
import { DEFAULTS, defaultVirtualRouterId, ENDPOINT_DEFAULTS, type HaproxyKeepalivedSettings } from './settings.js';

const endpointKeys = {
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
};

type SectionDraft = Draft<{ source?: HaproxyKeepalivedSettings['source'] }> | typeof INVALID | null;

type EndpointDraft = Draft<{ virtualRouterId?: number; advertIntervalMs?: number }> | typeof INVALID | null;

const PORT = ['spec', 'endpoint', 'port'];

const checkPort: Check = ({ endpoint: { port } }, report) => {
  if (port !== API_SERVER_PORT) return;
  report.error(PORT, 'port-collides', {
    message:
      "the API server binds 6443 on every address of a control plane, the VIP's too; HAProxy there needs another",
    expected: 'a free port such as 8443',
  });
};

export const schema = {
  description: 'HAProxy and keepalived as services on every control plane.',
  keys: {
    source: optional(
      z.enum(['bundle', 'distribution'], wrong('bundle or distribution')),
      "Where HAProxy and keepalived come from. bundle: with their libraries and Kubewright's own units, whatever the distribution has. distribution: its packages.",
      DEFAULTS.source,
    ),
  },
  endpointKeys,
  endpointPort: ENDPOINT_DEFAULTS.port,
  resolve: (loadBalancer: SectionDraft) => ({ source: pick(loadBalancer, 'source', DEFAULTS.source) }),
  checks: [checkPort],
  resolveEndpoint: (endpoint: EndpointDraft, vip: string | undefined) => ({
    virtualRouterId: pick(endpoint, 'virtualRouterId', vip === undefined ? undefined : defaultVirtualRouterId(vip)),
    advertIntervalMs: pick(endpoint, 'advertIntervalMs', ENDPOINT_DEFAULTS.advertIntervalMs),
  }),
} satisfies LoadBalancerSchema;
