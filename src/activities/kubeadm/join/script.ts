import type { Cluster, ClusterHost } from '../../../cluster/types.js';
import { quote } from '../../../hosts/shell.js';
import { API_SERVER_PORT, renderDiscovery, renderJoinConfig } from '../../../render/kubeadm.js';
import { CRI_SOCKET } from '../../../render/kubelet-config.js';
import { ADMIN_KUBECONFIG } from '../control-plane.js';
import { type HostFile, writeFiles } from '../host-files.js';
import { apiGetFunction } from '../node/api-get.js';

/** Names of the secret files that go with the command. */
export const TOKEN_FILE = 'token';
export const CERTIFICATE_KEY_FILE = 'certificate-key';

const TOKEN_MARK = '@TOKEN@';
const CERTIFICATE_KEY_MARK = '@CERTIFICATE-KEY@';
const DISCOVERY_MARK = '@DISCOVERY@';

/**
 * `kubeadm join` of a host that is no member: what an earlier join left is taken away first. Secrets are put into the
 * configuration on the host, by the shell itself, so that they are in no argument list and in no file that stays.
 */
export function renderJoinScript(cluster: Cluster, host: ClusterHost, ca: Buffer, files: HostFile[]): string {
  const controlPlane = host.role === 'control-plane';
  const marks = { token: TOKEN_MARK, certificateKey: controlPlane ? CERTIFICATE_KEY_MARK : undefined };
  const config = renderJoinConfig(cluster, host, DISCOVERY_MARK, marks);
  return `${CLEAN_UP}
${writeFiles(files)}
umask 077
discovery=$KUBEWRIGHT_SECRETS/discovery.conf
printf %s ${quote(renderDiscovery(cluster, ca))} >"$discovery"
config=${quote(config)}
config=\${config//${DISCOVERY_MARK}/$discovery}
config=\${config//${TOKEN_MARK}/$(<"$KUBEWRIGHT_SECRETS/${TOKEN_FILE}")}
${controlPlane ? `config=\${config//${CERTIFICATE_KEY_MARK}/$(<"$KUBEWRIGHT_SECRETS/${CERTIFICATE_KEY_FILE}")}\n` : ''}printf %s "$config" >"$KUBEWRIGHT_SECRETS/join.yaml"
umask 022
${controlPlane ? nudge(host) : ''}kubeadm join --config="$KUBEWRIGHT_SECRETS/join.yaml"
${controlPlane ? AWAIT_NUDGE : awaitNode(cluster, host)}`;
}

/**
 * The kubelet of a control plane asks only its own API server (ControlPlaneKubeletLocalMode), in vain until that has an
 * etcd, and with pauses that grow to half a minute: for its certificate, and for the services without which it starts no
 * pod. Restarted when it can be answered, it asks at once; else its node would be Ready a quarter of a minute later.
 */
function nudge(host: ClusterHost): string {
  const url = `https://${host.address}:${API_SERVER_PORT}`;
  return `nudge() {
  until [ -e "$KUBEWRIGHT_SECRETS/joined" ] ||
    { [ -e ${ADMIN_KUBECONFIG} ] && (: <>/dev/tcp/${host.address}/${API_SERVER_PORT}) 2>/dev/null &&
      kubectl --kubeconfig=${ADMIN_KUBECONFIG} --server=${url} --request-timeout=3s get --raw /readyz >/dev/null 2>&1; }; do
    sleep 0.5
  done
  systemctl restart kubelet
}
nudge &
nudge=$!
trap 'kill "$nudge" 2>/dev/null || true' EXIT
`;
}

/** When kubeadm is done, the API server has said that it is ready, whether it was seen here or not. */
const AWAIT_NUDGE = `: >"$KUBEWRIGHT_SECRETS/joined"
wait "$nudge"
`;

/** kubeadm is done with a worker when its kubelet has a certificate; the node appears a moment later. */
function awaitNode(cluster: Cluster, host: ClusterHost): string {
  return `${apiGetFunction(cluster)}deadline=$((SECONDS + 120))
until api_get /api/v1/nodes/${host.name} >/dev/null; do
  [ "$SECONDS" -lt "$deadline" ] || { echo 'kubewright: the kubelet did not register its node within 2 minutes'; exit 1; }
  sleep 0.2
done
`;
}

/**
 * `kubeadm reset` and what it leaves: CNI's configuration and devices, etcd's data. Only where a join has begun. The
 * etcd member was taken out before, from a healthy one, because reset does so at best.
 */
const CLEAN_UP = `begun() {
  local file
  for file in /etc/kubernetes/*.conf /etc/kubernetes/manifests/*.yaml /etc/kubernetes/pki/ca.crt \\
    /var/lib/kubelet/config.yaml /var/lib/etcd/member; do [ ! -e "$file" ] || return 0; done
  return 1
}
if begun; then
  echo 'cleaning up after a join that did not finish'
  # Without it, reset asks the cluster for a configuration that it does not need.
  rm -f /etc/kubernetes/admin.conf
  kubeadm reset --force --cri-socket=${CRI_SOCKET} --skip-phases=preflight,remove-etcd-member
  rm -rf /var/lib/etcd /etc/cni/net.d/10-flannel.conflist /var/lib/cni /run/flannel
  for device in cni0 flannel.1; do ip link delete "$device" 2>/dev/null || true; done
fi
`;
