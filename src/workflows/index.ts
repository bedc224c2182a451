/** Everything the worker runs as workflows: the entry of the bundle, so only workflow types are exported. */
export { installCluster } from './engine/run.js';
