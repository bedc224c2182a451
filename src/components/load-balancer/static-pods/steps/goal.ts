import { bundleOf, hostOf } from '../../../../activities/prepare/target.js';
import type { StepContext } from '../../../../activities/types.js';
import { image } from '../../../../bundle/bundle.js';
import { LOAD_BALANCER_IMAGE } from '../../../../bundle/image-names.js';
import { type PodGoal, podGoal } from '../../pods/goal.js';
import type { PodName } from '../places.js';
import { type BalancerImages, ownImages } from '../settings.js';
import { balancerFiles } from './files.js';

/** As `podGoal`. @throws KubewrightError also KW734 when the bundle has no image and the file names none */
export async function goalOf(context: StepContext, questions: string): Promise<PodGoal<PodName>> {
  const images = await imagesOf(context);
  return podGoal(context, questions, (card) => balancerFiles(context.cluster, hostOf(context), card, images));
}

async function imagesOf(context: StepContext): Promise<BalancerImages> {
  const own = ownImages(context.cluster);
  if (own !== null) return own;
  const [name = ''] = image(await bundleOf(context), `${LOAD_BALANCER_IMAGE}:`).names;
  return { haproxy: name, keepalived: name };
}
