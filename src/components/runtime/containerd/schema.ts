import { type Draft, type INVALID, pick, recordOf } from '../../../cluster/resolve/draft.js';
import type { ChoiceSchema } from '../../schema-types.js';
import { RUNTIME_KEYS } from '../keys.js';
import { type ContainerdSettings, DEFAULTS } from './settings.js';

type SectionDraft =
  | Draft<{ source?: ContainerdSettings['source']; config?: Record<string, unknown> | null }>
  | typeof INVALID
  | null;

export const schema = {
  description: 'with runc.',
  keys: RUNTIME_KEYS,
  resolve: (runtime: SectionDraft) => ({
    source: pick(runtime, 'source', DEFAULTS.source),
    config: recordOf(pick(runtime, 'config', {})),
  }),
} satisfies ChoiceSchema;
