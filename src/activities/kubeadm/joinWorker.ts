import type { StepImplementation } from '../types.js';
import { joinCluster, probeOf, SETTLES_MS } from './join/join.js';
import { lookAtNode } from './node/node-state.js';

/** Joins a worker. Workers join side by side, each with a token of its own. */
export const joinWorker: StepImplementation = {
  settlesMs: SETTLES_MS,

  async probe(context) {
    return probeOf(await lookAtNode(context), 'join the cluster as a worker');
  },

  apply: joinCluster,
};
