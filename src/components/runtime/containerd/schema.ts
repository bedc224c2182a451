import { z } from 'zod';
import { type Draft, type INVALID, pick, recordOf } from '../../../cluster/resolve/draft.js';
import { anyMap, wrong } from '../../../cluster/schema/forms.js';
import { optional, section } from '../../../cluster/schema/keys.js';
import type { ChoiceSchema } from '../../schema-types.js';
import { type ContainerdSettings, DEFAULTS } from './settings.js';

type SectionDraft =
  | Draft<{ source?: ContainerdSettings['source']; config?: Record<string, unknown> | null }>
  | typeof INVALID
  | null;

export const schema = {
  keys: {
    source: optional(
      z.enum(['bundle', 'distribution'], wrong('bundle or distribution')),
      "Where containerd and runc come from. bundle: with Kubewright's own units, whatever the distribution has. distribution: its packages, or containerd.io where that is installed.",
      DEFAULTS.source,
    ),
    config: section(anyMap('containerd'), "Merged into containerd's configuration, its TOML written as YAML.", {}),
  },
  resolve: (runtime: SectionDraft) => ({
    source: pick(runtime, 'source', DEFAULTS.source),
    config: recordOf(pick(runtime, 'config', {})),
  }),
} satisfies ChoiceSchema;
