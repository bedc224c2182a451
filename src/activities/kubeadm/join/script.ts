import { apiServerPort } from '../../../cluster/chosen-ports.js';
import type { Cluster, ClusterHost } from '../../../cluster/types.js';
import { etcdctl } from '../../../components/etcd/members/members.js';
import { clientUrl, peerUrl } from '../../../components/etcd/members/places.js';
import { etcdHosts, kubeadmMakesMember, runtimeOf } from '../../../components/registry/plan.js';
import { quote } from '../../../hosts/shell.js';
import { renderDiscovery, renderJoinConfig, wantsCredentials } from '../../../render/kubeadm.js';
import { PKI_DIRECTORY } from '../../../render/kubeadm-paths.js';
import { FENCE_GUARD } from '../../fence.js';
import { anyPathFunction, BEGUN_PATHS, cleanUpScript } from '../../node-leftovers.js';
import { SAYS_NO } from '../../remote-facts.js';
import { ADMIN_KUBECONFIG } from '../control-plane.js';
import { type HostFile, strictPermissions, writeFiles } from '../host-files.js';
import { apiGetFunction, KUBELET_CLIENT } from '../node/api-get.js';

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
  return `${cleanUp(cluster, host)}
${writeFiles(files)}
umask 077
discovery=$KUBEWRIGHT_SECRETS/discovery.conf
${discoveryFile(cluster, ca)}
config=${quote(config)}
config=\${config//${DISCOVERY_MARK}/$discovery}
config=\${config//${TOKEN_MARK}/$(<"$KUBEWRIGHT_SECRETS/${TOKEN_FILE}")}
${controlPlane ? `config=\${config//${CERTIFICATE_KEY_MARK}/$(<"$KUBEWRIGHT_SECRETS/${CERTIFICATE_KEY_FILE}")}\n` : ''}printf %s "$config" >"$KUBEWRIGHT_SECRETS/join.yaml"
umask 022
${controlPlane ? nudge(cluster, host) : ''}kubeadm join --config="$KUBEWRIGHT_SECRETS/join.yaml" "\${empty_disk[@]}"
${controlPlane ? AWAIT_NUDGE : awaitNode(cluster, host)}${strictPermissions(cluster)}`;
}

/** Bash. The token is put in by the shell, as in the configuration. */
function discoveryFile(cluster: Cluster, ca: Buffer): string {
  if (!wantsCredentials(cluster)) return `printf %s ${quote(renderDiscovery(cluster, ca))} >"$discovery"`;
  return `text=${quote(renderDiscovery(cluster, ca, TOKEN_MARK))}
printf %s "\${text//${TOKEN_MARK}/$(<"$KUBEWRIGHT_SECRETS/${TOKEN_FILE}")}" >"$discovery"`;
}

/**
 * The kubelet of a control plane asks only its own API server (ControlPlaneKubeletLocalMode), in vain until that has an
 * etcd, and with pauses that grow to half a minute: for its certificate, and for the services without which it starts no
 * pod. Restarted when it can be answered, it asks at once; else its node would be Ready a quarter of a minute later.
 */
function nudge(cluster: Cluster, host: ClusterHost): string {
  const port = apiServerPort(cluster);
  const url = `https://${host.address}:${port}`;
  return `nudge() {
  until [ -e "$KUBEWRIGHT_SECRETS/joined" ] ||
    { [ -e ${ADMIN_KUBECONFIG} ] && (: <>/dev/tcp/${host.address}/${port}) 2>/dev/null &&
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

/** Exit code of the clean-up where the host turns out to be a member after all, or cannot tell. */
const NOT_PERMITTED = 66;

/**
 * `kubeadm reset` and what it leaves: CNI's configuration and devices, etcd's data. Only where a join has begun, only for
 * the attempt that holds the fence, and only when the cluster, asked once more from this very host, does not have it as a
 * node or as a voter. The etcd member was taken out before, from a healthy one, because reset does so at best.
 */
function cleanUp(cluster: Cluster, host: ClusterHost): string {
  return `${anyPathFunction('begun', BEGUN_PATHS)}if begun; then
${FENCE_GUARD}${memberGuards(cluster, host)}  echo 'cleaning up after a join that did not finish'
${host.role === 'control-plane' ? BACK_UP_PKI : ''}  # Without it, reset asks the cluster for a configuration that it does not need.
  rm -f /etc/kubernetes/admin.conf
  kubeadm reset --force --cri-socket=${runtimeOf(cluster).socket} --skip-phases=preflight,remove-etcd-member
${cleanUpScript()}fi
${EMPTY_DISK}`;
}

/**
 * A reset empties /etc/kubernetes/pki. What a person has put there would be gone, so the folder is kept as it is, for root
 * alone. No member that systemd runs is concerned: its certificates lie elsewhere.
 */
const BACK_UP_PKI = `  if [ -n "$(ls -A ${PKI_DIRECTORY} 2>/dev/null)" ]; then
    kept=/var/lib/kubewright/pki-before-reset-$(date -u +%Y%m%dT%H%M%S.%3NZ)
    (umask 077; mkdir -p "$kept")
    cp -a ${PKI_DIRECTORY}/. "$kept/"
    chmod 0700 "$kept"
    sync "$kept"
    echo "kubewright: ${PKI_DIRECTORY} as it was is in $kept"
  fi
`;

/**
 * kubeadm wants etcd's directory to be empty, and takes \`lost+found\` of a disk of its own for data. Sets \`empty_disk\` to
 * the flag that lets it pass, where nothing else is in there.
 */
export const EMPTY_DISK = `empty_disk=()
if [ "$(ls -A /var/lib/etcd/ 2>/dev/null)" = lost+found ]; then
  empty_disk=(--ignore-preflight-errors=DirAvailable--var-lib-etcd)
fi
`;

/**
 * The kubelet is stopped first, for one that runs would register its node again. Then the cluster is asked, with what the
 * broken join left: without a kubelet's certificate there was never a node, and without etcd's there is no member.
 */
function memberGuards(cluster: Cluster, host: ClusterHost): string {
  const others = etcdHosts(cluster).filter(({ name }) => name !== host.name);
  const stacked = kubeadmMakesMember(cluster, host.role);
  const endpoints = others.map(({ address }) => clientUrl(address));
  const voter = `^[0-9a-f]+, started, .*${peerUrl(host.address).replaceAll('.', '\\.')}(,.*)?, false$`;
  const etcd = `  if [ -e ${PKI_DIRECTORY}/etcd/healthcheck-client.crt ]; then
    for _ in {1..5}; do members=$(${etcdctl(cluster, endpoints)} member list) && break || members=; done
    [ -n "$members" ] || refuse 'etcd does not tell its members'
    ! grep -qE ${quote(voter)} <<<"$members" || refuse 'etcd has it as a voter'
  fi
`;
  return `  refuse() { echo "kubewright: nothing was reset: $1"; exit ${NOT_PERMITTED}; }
  systemctl stop kubelet
${apiGetFunction(cluster)}  if [ -e ${KUBELET_CLIENT} ]; then
    for _ in {1..20}; do
      answer=0
      api_get /api/v1/nodes/${host.name} >/dev/null || answer=$?
      [ "$answer" != 0 ] || refuse 'the cluster has it as a node'
      [ "$answer" != ${SAYS_NO} ] || break
      sleep 1
    done
    [ "$answer" = ${SAYS_NO} ] || refuse 'the API does not tell whether it is a node'
  fi
${stacked && endpoints.length > 0 ? etcd : ''}`;
}
