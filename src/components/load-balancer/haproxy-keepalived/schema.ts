import { z } from 'zod';
import { type Draft, type INVALID, pick } from '../../../cluster/resolve/draft.js';
import { wrong } from '../../../cluster/schema/forms.js';
import { optional } from '../../../cluster/schema/keys.js';
import type { LoadBalancerSchema } from '../../schema-types.js';
import { vrrpSchema } from '../vrrp/schema.js';
import { DEFAULTS, type HaproxyKeepalivedSettings } from './settings.js';

type SectionDraft = Draft<{ source?: HaproxyKeepalivedSettings['source'] }> | typeof INVALID | null;

export const schema = {
  ...vrrpSchema,
  description: 'HAProxy and keepalived as services on every control plane.',
  keys: {
    source: optional(
      z.enum(['bundle', 'distribution'], wrong('bundle or distribution')),
      "Where HAProxy and keepalived come from. bundle: with their libraries and Kubewright's own units, whatever the distribution has. distribution: its packages.",
      DEFAULTS.source,
    ),
  },
  resolve: (loadBalancer: SectionDraft) => ({ source: pick(loadBalancer, 'source', DEFAULTS.source) }),
} satisfies LoadBalancerSchema;
