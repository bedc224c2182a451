import { type Draft, type INVALID, pick, recordOf } from '../../../cluster/resolve/draft.js';
import type { ChoiceSchema, Surroundings } from '../../schema-types.js';
import { RUNTIME_KEYS } from '../keys.js';
import type { ContainerdSettings } from './settings.js';

type SectionDraft =
  | Draft<{ source?: ContainerdSettings['source']; config?: Record<string, unknown> | null }>
  | typeof INVALID
  | null;

export const schema = {
  description: 'with runc.',
  keys: RUNTIME_KEYS,
  resolve: (runtime: SectionDraft, { programSource }: Surroundings) => ({
    source: pick(runtime, 'source', programSource),
    config: recordOf(pick(runtime, 'config', {})),
  }),
  onlyInBundle: ({ source }: Partial<ContainerdSettings>) =>
    source === 'bundle' ? { key: 'source', instead: 'distribution' } : undefined,
} satisfies ChoiceSchema;
