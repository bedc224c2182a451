import { homedir } from 'node:os';
import type { Lab } from '../../lab/hosts/index.js';
import { loadCluster } from '../../src/cluster/load.js';
import type { Cluster } from '../../src/cluster/types.js';
import { createHosts, type Hosts, type HostsOptions } from '../../src/hosts/index.js';

/** The cluster that a lab describes, as the installer reads it. */
export async function clusterOfLab(lab: Lab): Promise<Cluster> {
  return (await loadCluster(lab.files.clusterFile)).cluster;
}

/** A pool of its own, as another worker has one. */
export function poolOf(cluster: Cluster, options: Partial<HostsOptions> = {}): Hosts {
  return createHosts(cluster, { env: process.env, homeDirectory: homedir(), ...options });
}

/** Waits for a condition that someone else brings about. */
export async function eventually(condition: () => Promise<boolean>, what: string, timeoutMs = 30_000): Promise<void> {
  for (const end = Date.now() + timeoutMs; Date.now() < end; ) {
    if (await condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`did not happen within ${timeoutMs / 1000} s: ${what}`);
}
