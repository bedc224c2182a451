import { by, type KeyChanges } from '../../../cluster/key-change.js';
import type { Cluster } from '../../../cluster/types.js';

/** One file or address of `network.manifests`, read by the client so that the worker needs neither. */
export interface NetworkManifest {
  /** As it is written in the file. */
  from: string;
  /** Of its bytes, in hexadecimal. */
  sha256: string;
  content: string;
}

/** `spec.network`, resolved: manifests of the user's. */
export interface ManifestNetworkSettings {
  plugin: 'manifest';
  manifests: NetworkManifest[];
}

/** The step compares what was applied, and applies and prunes. */
export const CHANGES: KeyChanges = { 'spec.network.manifests': by('network') };

/** Its settings in a cluster that has chosen it. */
export function settingsOf({ network }: Pick<Cluster, 'network'>): ManifestNetworkSettings {
  // Who asks belongs to this choice, so this is a programming error, not a user's.
  if (network.plugin !== 'manifest') throw new Error('the cluster has another pod network');
  return network;
}
