import type { StepImplementation } from '../types.js';
import { joinCluster, probeOf, SETTLES_MS } from './join/join.js';
import { lookAtNode } from './node/node-state.js';

/**
 * Joins a control plane through whichever other one is ready. The plan lets one join at a time: etcd takes one learner.
 */
export const joinControlPlane: StepImplementation = {
  settlesMs: SETTLES_MS,

  async probe(context) {
    return probeOf(await lookAtNode(context), 'join the cluster as a control plane');
  },

  apply: joinCluster,
};
