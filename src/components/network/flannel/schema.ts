import { type Draft, type INVALID, pick, recordOf } from '../../../cluster/resolve/draft.js';
import { anyMap } from '../../../cluster/schema/forms.js';
import { section } from '../../../cluster/schema/keys.js';
import type { PodNetworkSchema } from '../../schema-types.js';
import { DEFAULTS } from './settings.js';

type SectionDraft = Draft<{ backend?: Record<string, unknown> | null }> | typeof INVALID | null;

export const schema = {
  keys: { backend: section(anyMap("flannel's backend"), "flannel's backend (net-conf.json).", DEFAULTS.backend) },
  resolve: (network: SectionDraft) => ({
    backend: { ...DEFAULTS.backend, ...recordOf(pick(network, 'backend', {})) },
  }),
  namespaces: () => ['kube-flannel'],
} satisfies PodNetworkSchema;
