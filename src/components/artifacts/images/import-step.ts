import { artifactsOf } from '../../../activities/artifacts.js';
import type { StepContext, StepImplementation } from '../../../activities/types.js';
import { runtimeWorkOf } from '../../registry/work.js';
import type { Artifacts, SourcedImage } from '../artifacts.js';

/** A step that brings images to the runtime of the cluster, in that runtime's own way, from wherever the source has them. */
export function importStep(choose: (artifacts: Artifacts, context: StepContext) => SourcedImage[]): StepImplementation {
  const importing = ({ cluster }: StepContext) =>
    runtimeWorkOf(cluster).importing(async (context) => choose(await artifactsOf(context), context));
  return {
    probe: (context) => importing(context).probe(context),
    apply: (context, found) => importing(context).apply(context, found),
  };
}
