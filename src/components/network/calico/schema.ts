import { z } from 'zod';
import { type Draft, type INVALID, pick } from '../../../cluster/resolve/draft.js';
import { integer, wrong } from '../../../cluster/schema/forms.js';
import { optional } from '../../../cluster/schema/keys.js';
import type { PodNetworkSchema } from '../../schema-types.js';
import { DEFAULTS, defaultMtu, type Encapsulation } from './settings.js';

type SectionDraft = Draft<{ encapsulation?: Encapsulation; mtu?: number }> | typeof INVALID | null;

export const schema = {
  description: "Calico's own manifest, from a bundle that was made with --network calico.",
  keys: {
    encapsulation: optional(
      z.enum(['vxlan', 'ipip', 'none'], wrong('vxlan, ipip or none')),
      'Calico: how packets of pods travel between hosts. vxlan: in UDP, without BGP. ipip: in IP. none: as they are, which the network between the hosts has to route. ipip and none use BGP.',
      DEFAULTS.encapsulation,
    ),
    mtu: optional(
      integer('a number of bytes from 1280 to 9216', 1_280, 9_216),
      'Calico: bytes that a packet of a pod may have. Default: what is left of 1500 (vxlan 1450, ipip 1480, none 1500). Never detected.',
    ),
  },
  resolve: (network: SectionDraft) => {
    const encapsulation = pick(network, 'encapsulation', DEFAULTS.encapsulation);
    return {
      encapsulation,
      mtu: pick(network, 'mtu', encapsulation === undefined ? undefined : defaultMtu(encapsulation)),
    };
  },
  namespaces: () => ['kube-system'],
} satisfies PodNetworkSchema;
