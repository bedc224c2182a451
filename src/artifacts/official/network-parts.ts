import type { Vouched } from '../../bundle/schema.js';
import { KubewrightError } from '../../errors.js';
import type { BundledNetwork } from './job.js';

/** What a pod network beside flannel adds to a bundle. */
export interface NetworkParts {
  /** Versions for bundle.json. */
  versions: Record<string, string>;
  /** Images that it runs, which hosts of other networks do not take. */
  images: string[];
  vouched: Record<string, Vouched>;
}

const NAMES: Readonly<Record<BundledNetwork, string>> = { calico: 'Calico', cilium: 'Cilium' };

export function noRelease(network: BundledNetwork, kubernetesVersion: string): KubewrightError {
  return new KubewrightError(
    'KW740',
    `No release of ${NAMES[network]} that is known here goes with Kubernetes ${kubernetesVersion}.`,
    {
      hint: `Leave --network ${network} out, or take a version of Kubernetes that docs/network.md lists.`,
    },
  );
}
