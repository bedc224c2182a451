import { type Draft, type INVALID, pick } from '../../../cluster/resolve/draft.js';
import { localPath } from '../../../cluster/schema/forms.js';
import { nullable } from '../../../cluster/schema/keys.js';
import type { ArtifactSchema } from '../../schema-types.js';
import { DEFAULTS } from './settings.js';

type SectionDraft = Draft<{ bundle?: string | null }> | typeof INVALID | null;

export const schema = {
  description: 'a bundle made by `kubewright bundle create`.',
  programSource: 'bundle',
  keys: {
    bundle: nullable(
      localPath('./bundle'),
      "Bundle directory, relative to this file. null: the worker's cache.",
      DEFAULTS.bundle,
    ),
  },
  resolve(packages: SectionDraft, { path }) {
    const bundle = pick(packages, 'bundle', DEFAULTS.bundle);
    return { bundle: typeof bundle === 'string' ? path(bundle) : bundle };
  },
} satisfies ArtifactSchema;
