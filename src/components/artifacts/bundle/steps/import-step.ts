import type { StepContext, StepImplementation } from '../../../../activities/types.js';
import type { Bundle, LocatedImage } from '../../../../bundle/bundle.js';
import { runtimeWorkOf } from '../../../registry/work.js';

/** A step that brings images of the bundle to the runtime of the cluster, in that runtime's own way. */
export function importStep(choose: (bundle: Bundle, context: StepContext) => LocatedImage[]): StepImplementation {
  const importing = ({ cluster }: StepContext) => runtimeWorkOf(cluster).importing(choose);
  return {
    probe: (context) => importing(context).probe(context),
    apply: (context, found) => importing(context).apply(context, found),
  };
}
