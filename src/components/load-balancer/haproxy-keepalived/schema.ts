import { type Draft, INVALID, pick } from '../../../cluster/resolve/draft.js';
import type { LoadBalancerSchema, Surroundings } from '../../schema-types.js';
import { checkNotify } from '../vrrp/notify/file-checks.js';
import { type NotifyDraft, notifyKey, resolveNotify } from '../vrrp/notify/schema.js';
import { ownPrograms, programSource, vrrpSchema } from '../vrrp/schema.js';
import type { HaproxyKeepalivedSettings } from './settings.js';

type SectionDraft =
  | (Exclude<Draft<{ source?: HaproxyKeepalivedSettings['source'] }>, typeof INVALID> & { notify?: NotifyDraft })
  | typeof INVALID
  | null;

export const schema = {
  ...vrrpSchema,
  description: 'HAProxy and keepalived as services on every control plane.',
  keys: {
    source: programSource(),
    notify: notifyKey,
  },
  resolve: (loadBalancer: SectionDraft, around: Surroundings) => ({
    source: pick(loadBalancer, 'source', around.programSource),
    ...resolveNotify(loadBalancer === INVALID ? null : loadBalancer?.notify, around),
  }),
  onlyInBundle: ownPrograms,
  checks: [...vrrpSchema.checks, checkNotify],
} satisfies LoadBalancerSchema;
