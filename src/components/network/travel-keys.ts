import { z } from 'zod';
import type { Check } from '../../cluster/checks/index.js';
import { valueAt } from '../../cluster/path.js';
import { integer, wrong } from '../../cluster/schema/forms.js';
import { optional } from '../../cluster/schema/keys.js';

/** How packets of pods may travel between hosts, by some pod network. */
const ENCAPSULATIONS = ['vxlan', 'geneve', 'ipip', 'none'] as const;
export type AnyEncapsulation = (typeof ENCAPSULATIONS)[number];

const ENCAPSULATION = ['spec', 'network', 'encapsulation'];

/** Keys that pod networks share which leave this to the user: one word means the same with each of them. */
export const TRAVEL_KEYS = {
  encapsulation: optional(
    z.enum(ENCAPSULATIONS, wrong('vxlan, geneve, ipip or none')),
    'How packets of pods travel between hosts. vxlan, geneve (cilium): in UDP. ipip (calico): in IP. none: as they are, which the network between the hosts has to route. calico uses BGP with ipip and none.',
    'vxlan',
  ),
  mtu: optional(
    integer('a number of bytes from 1280 to 9216', 1_280, 9_216),
    'Bytes that a packet of a pod may have. Default: what is left of 1500 (vxlan and geneve 1450, ipip 1480, none 1500). Never detected.',
  ),
};

/** The value where it is one of a plugin's own. */
export function ownEncapsulation<Own extends AnyEncapsulation>(
  own: readonly Own[],
  written: AnyEncapsulation | undefined,
): Own | undefined {
  return own.find((each) => each === written);
}

/** Refuses what another plugin has. */
export function checkEncapsulation(plugin: string, own: readonly AnyEncapsulation[]): Check {
  return (_, report) => {
    const written = valueAt(report.document.value, ENCAPSULATION);
    const known = ENCAPSULATIONS.find((each) => each === written);
    if (known === undefined || own.includes(known)) return;
    report.error(ENCAPSULATION, 'encapsulation', {
      message: `${plugin} does not have it`,
      expected: own.join(', '),
    });
  };
}
