import { bundleOf, hostOf } from '../../../../activities/prepare/target.js';
import type { StepContext } from '../../../../activities/types.js';
import { image } from '../../../../bundle/bundle.js';
import { KUBE_VIP_IMAGE } from '../../../../bundle/image-names.js';
import type { Cluster, ClusterHost } from '../../../../cluster/types.js';
import { type PodFiles, type PodGoal, podGoal } from '../../pods/goal.js';
import { manifestPath } from '../../pods/places.js';
import { BUNDLE_OPTIONS, POD } from '../places.js';
import { renderKubeVipPod } from '../render/pod.js';
import { settingsOf } from '../settings.js';

/** What one control plane has for its static pod. @param card network card that carries the virtual IP */
export function kubeVipFiles(
  cluster: Cluster,
  host: ClusterHost,
  card: string,
  reference: string,
): PodFiles<typeof POD> {
  const { manifest, digest } = renderKubeVipPod(cluster, host, card, reference);
  return {
    files: [{ path: manifestPath(POD), content: manifest, mode: 0o644 }],
    manifests: { [POD]: manifest },
    digests: { [POD]: digest },
  };
}

/** As `podGoal`. @throws KubewrightError also KW734 when the bundle has no image and the file names none */
export async function goalOf(context: StepContext, questions: string): Promise<PodGoal<typeof POD>> {
  const reference = await imageOf(context);
  return podGoal(context, questions, (card) => kubeVipFiles(context.cluster, hostOf(context), card, reference));
}

async function imageOf(context: StepContext): Promise<string> {
  const own = settingsOf(context.cluster).image;
  if (own !== null) return own;
  const [name = ''] = image(await bundleOf(context), `${KUBE_VIP_IMAGE}:`, BUNDLE_OPTIONS).names;
  return name;
}
