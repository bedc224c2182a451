import { hashOf } from './cluster/hash.js';
import type { Cluster } from './cluster/types.js';
import type { StartOptions } from './engine/installs/start-install.js';
import { planInstall } from './plan/install.js';
import { VERSION } from './version.js';

/**
 * What an install is started with: the plan is computed here, by the client, and becomes the workflow's input, so newer
 * code never changes a running install. The hash tells whether two plans are the same; where a key stands in the file does
 * not count.
 */
export function prepareInstall(cluster: Cluster): StartOptions {
  const plan = planInstall(cluster);
  const { places: _, ...content } = cluster;
  return { cluster, plan, planHash: hashOf({ cluster: content, plan }), build: VERSION };
}
