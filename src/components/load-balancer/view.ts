import { type Facts, gatherFacts } from '../../activities/remote-facts.js';
import type { StepContext } from '../../activities/types.js';
import type { ClusterHost } from '../../cluster/types.js';
import { isKubewrightError } from '../../errors.js';

/** What one host says of the endpoint. */
export interface HostView {
  host: ClusterHost;
  /** Undefined when the host could not be asked. */
  facts: Facts | undefined;
}

/** Asks a host; one that cannot be reached at the moment has no facts. @throws what does not heal by itself */
export async function viewOf(context: StepContext, host: ClusterHost, script: string): Promise<HostView> {
  try {
    return { host, facts: await gatherFacts(context.hostNamed(host.name), script, context.signal) };
  } catch (error) {
    if (isKubewrightError(error) && error.transient) return { host, facts: undefined };
    throw error;
  }
}
