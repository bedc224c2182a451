import type { RemoteHost } from '../../../hosts/types.js';
import { type HostFacts, parseHostFacts } from './host-facts.js';
import { hostFactsScript } from './script.js';

export type { CardAddress, DiskFacts, FoundLeftover, HostFacts } from './host-facts.js';

/** Asks a host for everything the preflight wants to know: one round trip, nothing is changed. */
export async function gatherHostFacts(host: RemoteHost, signal: AbortSignal): Promise<HostFacts> {
  const { stdout } = await host.run(hostFactsScript(), { signal });
  return parseHostFacts(stdout);
}
