import { dirname } from 'node:path/posix';
import type { Cluster, ClusterHost } from '../../cluster/types.js';
import { KubewrightError } from '../../errors.js';
import { quote } from '../../hosts/shell.js';
import type { RemoteHost } from '../../hosts/types.js';
import { endpointOf } from '../../render/kubeadm.js';
import { OWNER_PATH, type OwnerRecord, parseOwner, renderOwner } from '../../render/owner.js';

/** The record that a host of this cluster bears. */
export function ownerOf(cluster: Cluster, host: ClusterHost, caFingerprint: string | null = null): OwnerRecord {
  return {
    cluster: cluster.name,
    host: host.name,
    address: host.address,
    endpoint: endpointOf(cluster),
    caFingerprint,
  };
}

/**
 * The ownership record of a host; undefined when there is none.
 *
 * @throws KubewrightError KW320 when there is one that cannot be read: whose the host is, is then not known
 */
export async function readOwner(remote: RemoteHost): Promise<OwnerRecord | undefined> {
  const content = await remote.readFile(OWNER_PATH);
  if (content === undefined) return undefined;
  const owner = parseOwner(content.toString('utf8'));
  if (owner !== undefined) return owner;
  throw new KubewrightError('KW320', UNREADABLE_RECORD.what, { host: remote.name, hint: UNREADABLE_RECORD.hint });
}

/** Why a host that bears another cluster's record is left alone, and what a person can do. */
export function foreignHost(owner: OwnerRecord, cluster: Cluster): { what: string; hint: string } {
  return {
    what: `it belongs to cluster "${owner.cluster}" (${owner.endpoint}, as host ${owner.host}), not to "${cluster.name}"`,
    hint:
      `Use another host: abort this run, change cluster.yaml, install again. If this one shall leave "${owner.cluster}": ` +
      `see that no install of it runs (\`kubewright abort --cluster ${owner.cluster}\`), take the host out of that cluster, ` +
      'reset it (`kubeadm reset`, then remove /etc/kubewright), and retry.',
  };
}

/** What to do about a record that says nothing. */
export const UNREADABLE_RECORD = {
  what: `its ownership record ${OWNER_PATH} cannot be read`,
  hint: 'Look at the file. If the host belongs to no cluster, remove it; what is left of Kubernetes there is named then.',
};

/**
 * Makes a host ours before anything else is changed on it. The preflight saw it free, or ours; between that and now an
 * install of another cluster may have taken it. The file is linked into place whole, which the host grants once: of two
 * that come at the same moment one is refused.
 *
 * @throws KubewrightError KW320 when the host belongs to another cluster
 */
export async function claimHost(remote: RemoteHost, cluster: Cluster, host: ClusterHost): Promise<void> {
  const { stdout } = await remote.run(claimScript(OWNER_PATH), { input: renderOwner(ownerOf(cluster, host)) });
  const owner = parseOwner(stdout);
  if (owner?.cluster === cluster.name) return;
  const { what, hint } = owner === undefined ? UNREADABLE_RECORD : foreignHost(owner, cluster);
  throw new KubewrightError('KW320', what, { host: host.name, hint });
}

/** Bash: puts standard input at `path` unless there is something, and prints what stands there then. */
export function claimScript(path: string): string {
  return `set -e
mkdir -p ${quote(dirname(path))}
claim=$(mktemp ${quote(`${path}.XXXXXX`)})
trap 'rm -f "$claim"' EXIT
cat >"$claim"
chmod 644 "$claim"
sync "$claim"
ln -T "$claim" ${quote(path)} 2>/dev/null || true
cat ${quote(path)}
`;
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
