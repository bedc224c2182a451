import type { Bundle } from '../bundle/bundle.js';
import type { Cluster } from '../cluster/types.js';
import type { Artifacts, PublishedManifest } from '../components/artifacts/artifacts.js';
import { artifactWorkOf, podNetworkWorkOf } from '../components/registry/work.js';
import { ownArchitecture } from './prepare/target.js';
import type { StepContext } from './types.js';

/**
 * What the chosen source has for hosts of an architecture.
 *
 * @throws KubewrightError where the source has nothing for them
 */
export function artifactsFor(cluster: Cluster, architecture: string): Promise<Artifacts> {
  return artifactWorkOf(cluster).artifacts(cluster, architecture, publishedFor(cluster));
}

/** Manifests of the chosen pod network, for a source that has none of its own. */
export function publishedFor(cluster: Cluster): readonly PublishedManifest[] {
  return podNetworkWorkOf(cluster).published?.(cluster) ?? [];
}

/** The same for the step's own host, which is asked for its architecture. */
export async function artifactsOf(context: StepContext): Promise<Artifacts> {
  return artifactsFor(context.cluster, await ownArchitecture(context));
}

/** The bundle that goes onto hosts of an architecture; undefined where the chosen source is none. */
export async function anyBundleFor(cluster: Cluster, architecture: string): Promise<Bundle | undefined> {
  return artifactWorkOf(cluster).bundle(cluster, architecture);
}
