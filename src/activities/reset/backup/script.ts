import type { Cluster, ClusterHost } from '../../../cluster/types.js';
import { etcdctl } from '../../../components/etcd/members/members.js';
import { etcdOf, holdsMember } from '../../../components/registry/plan.js';
import { quote } from '../../../hosts/shell.js';
import { MANIFESTS_DIRECTORY, PKI_DIRECTORY } from '../../../render/kubeadm-paths.js';

/** Where the pieces wait until they were fetched; for root alone. */
export const PACKED = '/var/lib/kubewright/reset-backup';

/** What came of it. Not in the command's output, where a digest is taken for a key and made unreadable. */
export const TOLD = `${PACKED}/told`;

/** What of a host is kept: authorities and keys, manifests, kubeconfigs, and Kubewright's own settings. */
const KEPT = [PKI_DIRECTORY, MANIFESTS_DIRECTORY, '/etc/kubernetes/*.conf', '/etc/kubewright'];

/**
 * Bash that packs a host's part of the backup into pieces of 16 MiB, for a durable command. The file `told` beside them says `snapshot saved`, `snapshot
 * copied` or `snapshot none: WHY`, and last `packed SHA256 BYTES PIECES` of the whole archive, a .tar.gz.
 *
 * A member that does not answer gives no snapshot: its database is copied as it lies, which needs `etcdutl snapshot restore
 * --skip-hash-check`.
 */
export function packScript(cluster: Cluster, host: ClusterHost): string {
  return `shopt -s nullglob
umask 077
rm -rf -- ${PACKED}
mkdir -p ${PACKED}/content
told=${TOLD}
${holdsMember(cluster, host.role) ? snapshot(cluster) : "echo 'snapshot none: it holds no member of etcd' >$told\n"}paths=()
for path in ${KEPT.join(' ')}; do [ ! -e "$path" ] || paths+=("\${path#/}"); done
tar --create --gzip --file=${PACKED}/backup.tar.gz --directory=${PACKED}/content . --directory=/ "\${paths[@]}"
rm -rf -- ${PACKED}/content
sha=$(sha256sum <${PACKED}/backup.tar.gz)
size=$(stat -c %s ${PACKED}/backup.tar.gz)
split --bytes=16M --numeric-suffixes --suffix-length=4 ${PACKED}/backup.tar.gz ${PACKED}/piece-
rm -f -- ${PACKED}/backup.tar.gz
echo "packed \${sha%% *} $size $(ls ${PACKED}/piece-* | wc -l)" >>$told
`;
}

function snapshot(cluster: Cluster): string {
  const database = `${etcdOf(cluster).dataDirectory}/member/snap/db`;
  return `if command -v etcdctl >/dev/null && said=$(${etcdctl(cluster).replace('--command-timeout=4s', '--command-timeout=600s')} snapshot save ${PACKED}/content/etcd-snapshot.db 2>&1); then
  echo 'snapshot saved' >$told
elif [ -f ${quote(database)} ]; then
  rm -f ${PACKED}/content/etcd-snapshot.db*
  cp -- ${quote(database)} ${PACKED}/content/etcd-member-snap.db
  echo 'snapshot copied' >$told
else
  echo 'snapshot none: etcd does not answer, and has no data there' >$told
fi
`;
}

/** Path of a piece, by its number from 0. */
export function pieceOf(number: number): string {
  return `${PACKED}/piece-${String(number).padStart(4, '0')}`;
}

/** What the script has told. */
export interface Packed {
  sha256: string;
  size: number;
  pieces: number;
  /** `saved`, `copied`, or `none: WHY`. */
  snapshot: string;
}

/** Undefined where it was cut short. */
export function parsePacked(told: string): Packed | undefined {
  const [, sha256, size, pieces] = /^packed ([0-9a-f]{64}) (\d+) (\d+)$/m.exec(told) ?? [];
  if (sha256 === undefined) return undefined;
  const snapshot = /^snapshot (.+)$/m.exec(told)?.[1] ?? 'none: it was not told';
  return { sha256, size: Number(size), pieces: Number(pieces), snapshot };
}
