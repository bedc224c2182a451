import { BUILD } from './build.js';
import { hashOf } from './cluster/hash.js';
import type { Cluster } from './cluster/types.js';
import type { StartOptions } from './engine/runs/start-run.js';
import { inGroups } from './plan/cut.js';
import { OPERATIONS, type Operation } from './plan/operations.js';
import { PLAN_FORMAT } from './plan/run.js';
import type { Step } from './plan/types.js';

/**
 * What a run is started with: the plan is computed here, by the client, and becomes the workflow's input, so newer code
 * never changes what is under way. The hash tells whether two plans are the same; where a key stands in the file does not
 * count.
 *
 * @param steps the operation's plan, unless options of a person say what is to be done
 */
export function prepareRun(
  operation: Operation,
  cluster: Cluster,
  steps: Step[] = OPERATIONS[operation].plan(cluster),
): StartOptions {
  const plan = inGroups(steps, cluster);
  const { places: _, ...content } = cluster;
  const planHash = hashOf({ cluster: content, plan });
  return { operation, format: PLAN_FORMAT, cluster, plan, planHash, build: BUILD };
}

/** What an install is started with. */
export function prepareInstall(cluster: Cluster): StartOptions {
  return prepareRun('install', cluster);
}
