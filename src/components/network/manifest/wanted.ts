import type { Cluster } from '../../../cluster/types.js';
import { type ManifestObject, parseManifest } from '../objects/objects.js';
import { type NetworkManifest, settingsOf } from './settings.js';

/** Manifests that were parsed: each host asks for their images. */
const parsed = new WeakMap<NetworkManifest, ManifestObject[]>();

/** All objects of a cluster's manifests, in their order. */
export function objectsOf(cluster: Pick<Cluster, 'network'>): ManifestObject[] {
  return settingsOf(cluster).manifests.flatMap((each) => {
    const objects = parsed.get(each) ?? parseManifest(each).objects;
    parsed.set(each, objects);
    return objects;
  });
}
