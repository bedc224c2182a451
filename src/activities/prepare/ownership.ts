import type { Cluster, ClusterHost } from '../../cluster/types.js';
import type { RemoteHost } from '../../hosts/types.js';
import { OWNER_PATH, type OwnerRecord, parseOwner, renderOwner } from '../../render/owner.js';

/** The record that a host of this cluster bears. */
export function ownerOf(cluster: Cluster, host: ClusterHost, caFingerprint: string | null = null): OwnerRecord {
  return {
    cluster: cluster.name,
    host: host.name,
    address: host.address,
    endpoint: `${cluster.endpoint.vip}:${cluster.endpoint.port}`,
    caFingerprint,
  };
}

/** The ownership record of a host; undefined when there is none, or none that can be read. */
export async function readOwner(remote: RemoteHost): Promise<OwnerRecord | undefined> {
  const content = await remote.readFile(OWNER_PATH);
  return content === undefined ? undefined : parseOwner(content.toString('utf8'));
}

/**
 * Writes the record. A fingerprint that is recorded stays: only a new cluster gets another CA.
 *
 * @returns whether anything changed
 */
export async function recordOwner(
  remote: RemoteHost,
  cluster: Cluster,
  host: ClusterHost,
  caFingerprint?: string,
): Promise<boolean> {
  const recorded = caFingerprint ?? (await readOwner(remote))?.caFingerprint ?? null;
  return remote.writeFile(OWNER_PATH, renderOwner(ownerOf(cluster, host, recorded)), { backup: false });
}
