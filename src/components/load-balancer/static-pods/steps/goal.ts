import { bundleOf, hostOf } from '../../../../activities/prepare/target.js';
import { type Facts, gatherFacts } from '../../../../activities/remote-facts.js';
import type { StepContext } from '../../../../activities/types.js';
import { image } from '../../../../bundle/bundle.js';
import { LOAD_BALANCER_IMAGE } from '../../../../bundle/image-names.js';
import { virtualIpOf } from '../../virtual-ip/virtual-ip.js';
import { cardIn, cardQuestion } from '../../vrrp/steps/card.js';
import { type BalancerImages, ownImages } from '../settings.js';
import { type BalancerFiles, balancerFiles } from './files.js';

/** What the step's host has, and what it shall have. */
export interface Goal {
  wanted: BalancerFiles;
  facts: Facts;
}

/**
 * Asks the host in one round trip, also for the card that its files name.
 *
 * @param questions bash beside the question for the card
 * @throws KubewrightError KW461 when no network card of the host carries its address, KW433 (transient) when the host does
 * not tell what decides, KW734 when the bundle has no image and the file names none
 */
export async function goalOf(context: StepContext, questions: string): Promise<Goal> {
  const { cluster, signal } = context;
  const host = hostOf(context);
  const images = await imagesOf(context);
  const facts = await gatherFacts(context.host, `${cardQuestion(host)}${questions}`, signal);
  const card = virtualIpOf(cluster).interface ?? cardIn(facts, host);
  return { wanted: balancerFiles(cluster, host, card, images), facts };
}

async function imagesOf(context: StepContext): Promise<BalancerImages> {
  const own = ownImages(context.cluster);
  if (own !== null) return own;
  const [name = ''] = image(await bundleOf(context), `${LOAD_BALANCER_IMAGE}:`).names;
  return { haproxy: name, keepalived: name };
}
