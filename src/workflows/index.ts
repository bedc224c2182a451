/** Everything the worker runs as workflows: the entry of the bundle, so only workflow types are exported. */
import type { RunInput } from '../plan/run.js';
import { run } from './engine/run.js';

export { checkHealth } from './check-health.js';
export { runGroup } from './engine/run-group.js';

import type { RunResult } from './types.js';

/** Makes the cluster that a file describes, or goes on with it. */
export async function installCluster(input: RunInput): Promise<RunResult> {
  return run(input);
}
