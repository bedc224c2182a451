import { createHash } from 'node:crypto';
import { canonicalJson } from '../../../cluster/hash.js';
import { renderYaml } from '../../../render/yaml.js';

/**
 * On each pod, and in the environment of its program: what it was started with. The kubelet restarts a static pod whose
 * manifest changes and looks at no file that is mounted, so an edit has to show here; and a process that has it is proof.
 */
export const DIGEST_ANNOTATION = 'kubewright.dev/config-digest';
export const DIGEST_VARIABLE = 'KUBEWRIGHT_CONFIG_DIGEST';

export interface RenderedPod {
  manifest: string;
  /** 64 hexadecimal digits that change with the manifest and with what the pod reads. */
  digest: string;
}

/**
 * A pod with the digest of itself and of what it reads.
 *
 * @param podOf the pod with a digest in its places
 * @param read contents of the files that it reads
 */
export function digestedPod(podOf: (digest: string) => object, read: string[]): RenderedPod {
  const digest = createHash('sha256')
    .update(canonicalJson([podOf(''), read]))
    .digest('hex');
  return { manifest: renderYaml(podOf(digest)), digest };
}
