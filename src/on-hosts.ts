import { homedir } from 'node:os';
import type { Unlocked } from './activities/lease/unlock.js';
import type { Finding } from './activities/look.js';
import type { Cluster } from './cluster/types.js';
import type { Hosts } from './hosts/types.js';
import { type Kubeconfig, readKubeconfig } from './kubeconfig.js';
import { planInstall } from './plan/install.js';

/** With what the hosts are logged in to. */
export interface AccessOptions {
  /** Where sudo passwords, secrets that `cluster.yaml` names and the SSH agent are looked up; default: this process's environment. */
  env?: NodeJS.ProcessEnv;
  /** What `~` means in `cluster.yaml` and in the SSH configuration; default: this user's. */
  homeDirectory?: string;
}

/** How hosts are looked at. */
export interface LookAtOptions extends AccessOptions {
  /** Called with each finding when it is made; hosts are looked at side by side. */
  onFinding?: (finding: Finding) => void;
}

/**
 * Looks at every host of a cluster and says of each step of an install what is true already and what would be done, as
 * `kubewright plan` does. Changes nothing, and needs no Temporal. What is wrong with a host is a finding, not an error.
 *
 * @param cluster from `loadCluster`; with its `places` messages name lines of the file: `{ ...cluster, places }`
 * @returns a finding for each step, in the order of the plan
 */
export async function lookAtCluster(cluster: Cluster, options: LookAtOptions = {}): Promise<Finding[]> {
  const { lookAtPlan } = await import('./activities/look.js');
  const { probeStep } = await import('./activities/index.js');
  const { onFinding, env = process.env } = options;
  return withHosts(cluster, options, (hosts) =>
    lookAtPlan({ plan: planInstall(cluster), probe: (step) => probeStep(cluster, step, hosts, env), onFinding }),
  );
}

/**
 * Reads the administrator kubeconfig over SSH from the first control plane whose API server is ready. It is written nowhere.
 *
 * @throws KubewrightError KW530 when none has one, with what each host said; KW532 when it is another cluster's
 */
export async function fetchKubeconfig(cluster: Cluster, options: AccessOptions = {}): Promise<Kubeconfig> {
  return withHosts(cluster, options, (hosts) => readKubeconfig(cluster, hosts));
}

/**
 * Takes a cluster's hosts from a run whose Temporal server is lost (`kubewright unlock`). Needs no Temporal.
 *
 * @param run as the refusal KW590 names it
 * @throws KubewrightError KW595 when that run holds no host
 */
export async function unlockHosts(cluster: Cluster, run: string, options: AccessOptions = {}): Promise<Unlocked> {
  const { takeHostsFrom } = await import('./activities/lease/unlock.js');
  return withHosts(cluster, options, (hosts) => takeHostsFrom(cluster, run, hosts));
}

async function withHosts<T>(cluster: Cluster, options: AccessOptions, act: (hosts: Hosts) => Promise<T>): Promise<T> {
  const { createHosts } = await import('./hosts/index.js');
  const { env = process.env, homeDirectory = homedir() } = options;
  const hosts = createHosts(cluster, { env, homeDirectory });
  try {
    return await act(hosts);
  } finally {
    await hosts.close();
  }
}
