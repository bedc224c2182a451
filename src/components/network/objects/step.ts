import {
  findControlPlane,
  type ReadyControlPlane,
  requireControlPlane,
} from '../../../activities/kubeadm/control-plane.js';
import type { StepContext, StepImplementation } from '../../../activities/types.js';
import { applyObjects } from './apply.js';
import { describe, lookAtObjects } from './look.js';
import type { ManifestObject } from './objects.js';

/** A pod network by objects: the user's manifests, or those of a release. */
export interface Wanted {
  /** Name of the plugin, for the inventory. */
  plugin: string;
  objects: ManifestObject[];
}

/** What has to be on the control plane before it can be said which objects are wanted. */
export interface Tools {
  /** What of it is not there yet, for people; changes nothing. */
  missing(context: StepContext, via: ReadyControlPlane): Promise<string[]>;
  bring(context: StepContext, via: ReadyControlPlane): Promise<void>;
}

/**
 * Applies objects to a cluster, and deletes those that an earlier run has applied and that are wanted no more. Done when
 * each of them is there and the inventory says that exactly these were applied; that their pods run shows in `verifyNodes`.
 */
export function applyNetworkObjects(
  wantedOf: (context: StepContext, via: ReadyControlPlane) => Promise<Wanted>,
  tools?: Tools,
): StepImplementation {
  return {
    async probe(context) {
      const via = await findControlPlane(context);
      if (via === undefined) {
        return {
          done: false,
          found: 'no control plane is ready',
          changes: ['apply the pod network once the API is there'],
        };
      }
      const missing = (await tools?.missing(context, via)) ?? [];
      if (missing.length > 0) {
        const changes = [`bring ${missing.join(' and ')} to ${via.host.name}`, 'apply the pod network'];
        return { done: false, found: `${via.host.name} lacks ${missing.join(' and ')}`, changes };
      }
      const { plugin, objects } = await wantedOf(context, via);
      const look = await lookAtObjects(context, via, objects);
      const changes = describe(look);
      const found =
        changes.length === 0
          ? `${objects.length} objects of the pod network (${plugin}) are applied`
          : 'the pod network is not as it should be';
      return { done: changes.length === 0, found, changes };
    },

    async apply(context) {
      const via = await requireControlPlane(context);
      await tools?.bring(context, via);
      const wanted = await wantedOf(context, via);
      await applyObjects(context, via, { ...wanted, look: await lookAtObjects(context, via, wanted.objects) });
    },
  };
}
