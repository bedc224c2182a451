import { type Draft, type INVALID, pick, recordOf } from '../../../cluster/resolve/draft.js';
import { anyMap } from '../../../cluster/schema/forms.js';
import { section } from '../../../cluster/schema/keys.js';
import type { ChoiceSchema } from '../../schema-types.js';

type SectionDraft = Draft<{ config?: Record<string, unknown> | null }> | typeof INVALID | null;

export const schema = {
  keys: {
    config: section(anyMap('containerd'), "Merged into containerd's configuration, its TOML written as YAML.", {}),
  },
  resolve: (runtime: SectionDraft) => ({ config: recordOf(pick(runtime, 'config', {})) }),
} satisfies ChoiceSchema;
