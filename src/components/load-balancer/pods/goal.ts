import { hostOf } from '../../../activities/prepare/target.js';
import { type Facts, gatherFacts } from '../../../activities/remote-facts.js';
import type { StepContext } from '../../../activities/types.js';
import { virtualIpOf } from '../virtual-ip/virtual-ip.js';
import { cardIn, cardQuestion } from '../vrrp/steps/card.js';

export interface PodFile {
  path: string;
  content: string;
  mode: number;
}

/** What one control plane has for its static pods. */
export interface PodFiles<Pod extends string> {
  /** All of them, manifests last. */
  files: PodFile[];
  manifests: Record<Pod, string>;
  /** What the program of a pod has in its environment once it runs with all of this. */
  digests: Record<Pod, string>;
}

/** What the step's host has, and what it shall have. */
export interface PodGoal<Pod extends string> {
  wanted: PodFiles<Pod>;
  facts: Facts;
}

/** Asks the step's host in one round trip. @param questions bash */
export type AskForGoal<Pod extends string> = (context: StepContext, questions: string) => Promise<PodGoal<Pod>>;

/**
 * Asks the host in one round trip, also for the card that its files name.
 *
 * @param questions bash beside the question for the card
 * @param filesFor what the host shall have, with the network card that carries the virtual IP
 * @throws KubewrightError KW461 when no network card of the host carries its address, KW433 (transient) when the host does
 * not tell what decides
 */
export async function podGoal<Pod extends string>(
  context: StepContext,
  questions: string,
  filesFor: (card: string) => PodFiles<Pod>,
): Promise<PodGoal<Pod>> {
  const host = hostOf(context);
  const facts = await gatherFacts(context.host, `${cardQuestion(host)}${questions}`, context.signal);
  const card = virtualIpOf(context.cluster).interface ?? cardIn(facts, host);
  return { wanted: filesFor(card), facts };
}
