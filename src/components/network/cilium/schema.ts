import { type Draft, type INVALID, pick } from '../../../cluster/resolve/draft.js';
import type { PodNetworkSchema } from '../../schema-types.js';
import { type AnyEncapsulation, checkEncapsulation, ownEncapsulation, TRAVEL_KEYS } from '../travel-keys.js';
import { DEFAULTS, defaultMtu, ENCAPSULATIONS } from './settings.js';

type SectionDraft = Draft<{ encapsulation?: AnyEncapsulation; mtu?: number }> | typeof INVALID | null;

export const schema = {
  description: "Cilium's own chart, from a bundle that was made with --network cilium.",
  keys: TRAVEL_KEYS,
  resolve: (network: SectionDraft) => {
    const encapsulation = ownEncapsulation(ENCAPSULATIONS, pick(network, 'encapsulation', DEFAULTS.encapsulation));
    return {
      encapsulation,
      mtu: pick(network, 'mtu', encapsulation === undefined ? undefined : defaultMtu(encapsulation)),
    };
  },
  checks: [checkEncapsulation('cilium', ENCAPSULATIONS)],
  onlyInBundle: () => ({ key: 'plugin', instead: 'flannel, or plugin: manifest with its manifests' }),
  namespaces: () => ['kube-system'],
} satisfies PodNetworkSchema;
