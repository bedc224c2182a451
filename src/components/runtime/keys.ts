import { z } from 'zod';
import { anyMap, wrong } from '../../cluster/schema/forms.js';
import { optional, section } from '../../cluster/schema/keys.js';

/** Keys that every container runtime has in `spec.runtime`. */
export const RUNTIME_KEYS = {
  source: optional(
    z.enum(['bundle', 'distribution'], wrong('bundle or distribution')),
    "Where its programs come from. bundle: with Kubewright's own units, whatever the distribution has. distribution, for containerd alone: its packages, or containerd.io where that is installed; the default with packages.source repository.",
    'bundle',
  ),
  config: section(anyMap('the runtime'), "Merged into the runtime's configuration, its TOML written as YAML.", {}),
};
