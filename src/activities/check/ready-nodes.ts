import type { ClusterHost } from '../../cluster/types.js';
import { findControlPlane, type ReadyControlPlane } from '../kubeadm/control-plane.js';
import type { StepContext } from '../types.js';
import { lookAtNodes, nodesOf } from '../verify/verifyNodes.js';

/** Nodes that pods can be asked on, and a control plane to ask by; or why there are none, as the end of a sentence. */
export type ReadyNodes = { via: ReadyControlPlane; nodes: ClusterHost[] } | { why: string };

/** Nodes that are as they should be, as the API tells: the others are findings of the look at nodes. */
export async function readyNodes(context: StepContext): Promise<ReadyNodes> {
  const [via, { faults, waiting }] = await Promise.all([findControlPlane(context), lookAtNodes(context)]);
  if (via === undefined || faults.some(({ host }) => host === null)) return { why: 'no control plane is ready' };
  const amiss = new Set<string | null>([...faults.map(({ host }) => host), ...waiting]);
  const nodes = nodesOf(context.cluster).filter(({ name }) => !amiss.has(name));
  return nodes.length === 0 ? { why: 'no node is as it should be' } : { via, nodes };
}
