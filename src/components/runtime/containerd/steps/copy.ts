import { noProxyOf } from '../../../../cluster/direct-addresses.js';
import type { Cluster } from '../../../../cluster/types.js';
import { quote } from '../../../../hosts/shell.js';
import type { CopyFromImage } from '../../../work-types.js';
import { HOSTS_DIRECTORY } from '../render/hosts.js';

/** Bash: what ctr pulls with. It is no service, so the drop-in's proxy is not its own; containerd 2 pulls by the service anyway. */
export function pullEnvironment(cluster: Cluster): string {
  const { proxy } = cluster.packages;
  if (proxy === null) return '';
  return `export HTTP_PROXY=${quote(proxy)} HTTPS_PROXY=${quote(proxy)} NO_PROXY=${quote(noProxyOf(cluster))}\n`;
}

/**
 * Bash for a durable command that copies programs out of an image, which is pulled where it is not there. May be repeated at any
 * point: what an interrupted one left mounted is mounted over nothing that lasts.
 */
export const copyFromImage: CopyFromImage = (cluster, { image, paths, directory }) =>
  `${pullEnvironment(cluster)}image=${quote(image)}
directory=${quote(directory)}
[ -n "$(ctr -n k8s.io images ls -q "name==$image")" ] || ctr -n k8s.io images pull --hosts-dir ${HOSTS_DIRECTORY} "$image" >/dev/null
mounted=$(mktemp -d /run/kubewright-image.XXXXXXXX)
finish() {
  ctr -n k8s.io images unmount --rm "$mounted" >/dev/null || true
  rmdir "$mounted" || true
}
trap finish EXIT
ctr -n k8s.io images mount "$image" "$mounted" >/dev/null
mkdir -p "$directory"
for path in ${paths.map(quote).join(' ')}; do
  name=\${path##*/}
  install -m 0755 "$mounted$path" "$directory/.$name.new"
  sync "$directory/.$name.new"
  mv -fT "$directory/.$name.new" "$directory/$name"
done
`;
