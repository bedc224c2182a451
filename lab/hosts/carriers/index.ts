import type { PlannedHost } from '../types.js';
import type { Carrier } from './carrier.js';
import { guestCarrier } from './guest/guest.js';
import { namespaceCarrier } from './namespace/namespace.js';

export type { Carrier, Launched, Place, Prepared, ScriptResult } from './carrier.js';

/** What carries a host. */
export function carrierOf(host: PlannedHost): Carrier {
  return host.guest ? guestCarrier : namespaceCarrier;
}

/** Each carrier that a lab needs, with the hosts that it carries. */
export function carriersOf(hosts: PlannedHost[]): { carrier: Carrier; carried: PlannedHost[] }[] {
  return [...new Set(hosts.map(carrierOf))].map((carrier) => ({
    carrier,
    carried: hosts.filter((host) => carrierOf(host) === carrier),
  }));
}
