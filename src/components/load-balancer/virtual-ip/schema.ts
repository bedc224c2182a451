import { type Draft, type INVALID, pick } from '../../../cluster/resolve/draft.js';
import { integer, interfaceName, ipv4 } from '../../../cluster/schema/forms.js';
import { nullable, optional } from '../../../cluster/schema/keys.js';
import { VIRTUAL_IP_DEFAULTS, type VirtualIp } from './virtual-ip.js';

/** What is expected of `endpoint.vip`. */
export const VIP_FORM = 'an IPv4 address such as 10.88.0.100';

/** Keys of `spec.endpoint` that every load balancer with a virtual IP takes. */
export const virtualIpKeys = {
  vip: optional(
    ipv4('10.88.0.100'),
    "Virtual IP address of the API, free, in the control planes' subnet. Required by every load balancer that moves it between them.",
  ),
  prefixLength: optional(
    integer('a prefix length from 8 to 30', 8, 30),
    "Prefix length of the control planes' subnet.",
    VIRTUAL_IP_DEFAULTS.prefixLength,
  ),
  interface: nullable(
    interfaceName(),
    "Network card that carries the VIP. null: the one that carries the host's address.",
    VIRTUAL_IP_DEFAULTS.interface,
  ),
};

/** As much of the virtual IP as the file says rightly. */
export function resolveVirtualIp(endpoint: Draft<Partial<VirtualIp>> | typeof INVALID | null) {
  return {
    vip: pick(endpoint, 'vip', undefined),
    prefixLength: pick(endpoint, 'prefixLength', VIRTUAL_IP_DEFAULTS.prefixLength),
    interface: pick(endpoint, 'interface', VIRTUAL_IP_DEFAULTS.interface),
  };
}
