import { podNetworkOf } from '../../components/registry/plan.js';
import type { Probe, StepContext } from '../types.js';
import { lookAtNodes } from './verifyNodes.js';

/**
 * What a step that needs pods finds where a person has yet to bring the pod network: nothing to do for it, which it says.
 *
 * @param what was not done, as a whole sentence
 * @returns undefined where pods can run, or where it is not known
 */
export async function withoutNetwork(context: StepContext, what: string): Promise<Probe | undefined> {
  if (!podNetworkOf(context.cluster).isBroughtLater) return undefined;
  const { waiting } = await lookAtNodes(context);
  if (waiting.length === 0) return undefined;
  return { done: true, found: `${what}: the cluster has no pod network yet, and a person brings it`, changes: [] };
}
