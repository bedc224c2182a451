import { hashOf } from './cluster/hash.js';
import type { Places } from './cluster/places.js';
import type { Cluster } from './cluster/types.js';
import type { StartOptions } from './engine/installs/start-install.js';
import { planInstall } from './plan/install.js';
import { VERSION } from './version.js';

/**
 * What an install is started with: the plan is computed here, by the client, and becomes the workflow's input, so newer
 * code never changes a running install. The hash tells whether two plans are the same.
 *
 * @param places where the file's keys stand, so that messages of the run name lines; they do not count for the hash
 */
export function prepareInstall(cluster: Cluster, places?: Places): StartOptions {
  const plan = planInstall(cluster);
  const { places: _, ...content } = cluster;
  const planHash = hashOf({ cluster: content, plan });
  return { cluster: places === undefined ? cluster : { ...content, places }, plan, planHash, build: VERSION };
}
