/** Everything the worker runs as workflows: the entry of the bundle, so only workflow types are exported. */
import { setWorkflowOptions } from '@temporalio/workflow';
import type { RunInput } from '../plan/run.js';
import { checkHealth } from './check-health.js';
import { drillCluster } from './drill-cluster.js';
import { run } from './engine/run.js';
import { runGroup } from './engine/run-group.js';
import { scheduledDrill } from './scheduled-drill.js';
import type { RunResult } from './types.js';

export { checkHealth, drillCluster, runGroup, scheduledDrill };

/** Makes the cluster that a file describes, or goes on with it. */
export async function installCluster(input: RunInput): Promise<RunResult> {
  return run(input);
}

/** Puts another key of encryption at rest in the place of the one that a cluster has. */
export async function rotateEncryptionKey(input: RunInput): Promise<RunResult> {
  return run(input);
}

/** Gives the hosts of a cluster back, or one of them. */
export async function resetCluster(input: RunInput): Promise<RunResult> {
  return run(input);
}

// What changes a cluster is carried through by the build that began it; a check, which is looked at anew each time, goes on
// with the newest. https://docs.temporal.io/worker-versioning#versioning-behaviors
setWorkflowOptions({ versioningBehavior: 'PINNED' }, installCluster);
setWorkflowOptions({ versioningBehavior: 'PINNED' }, rotateEncryptionKey);
setWorkflowOptions({ versioningBehavior: 'PINNED' }, resetCluster);
setWorkflowOptions({ versioningBehavior: 'PINNED' }, drillCluster);
setWorkflowOptions({ versioningBehavior: 'PINNED' }, runGroup);
// Its drill begins with the build that has planned it.
setWorkflowOptions({ versioningBehavior: 'PINNED' }, scheduledDrill);
setWorkflowOptions({ versioningBehavior: 'AUTO_UPGRADE' }, checkHealth);
