import { apiServerPort } from '../../cluster/chosen-ports.js';
import type { Cluster, ClusterHost } from '../../cluster/types.js';
import { hasKubeProxy } from '../../components/kube-proxy/mode.js';
import { loadBalancerOf } from '../../components/registry/plan.js';
import { KUBEADM_CONFIG_PATH } from '../../render/kubeadm-paths.js';
import { OWNER_PATH } from '../../render/owner.js';
import { layManifest } from '../../render/static-pod.js';
import { FENCE_GUARD } from '../fence.js';
import { type HostFile, strictPermissions, writeFiles } from './host-files.js';
import { EMPTY_DISK } from './join/script.js';

/** Member of system:masters, so that it is let in before RBAC knows the administrators' group. */
const SUPER_ADMIN_KUBECONFIG = '/etc/kubernetes/super-admin.conf';

/**
 * kubeadm's own phases, and what Kubewright makes of each. Asked of `kubeadm init --help` before anything is changed: a
 * version that knows a phase more, or one less, is refused instead of half obeyed.
 */
const PHASES: Record<string, string> = {
  preflight: 'preflight',
  certs: 'certs all',
  kubeconfig: 'kubeconfig all',
  etcd: 'etcd local',
  'control-plane': 'control-plane all',
  'kubelet-start': 'kubelet-start',
  // Takes no configuration when it is run by itself; `components` below asks the same.
  'wait-control-plane': '',
  'upload-config': `upload-config all --kubeconfig=${SUPER_ADMIN_KUBECONFIG}`,
  // Certificates are uploaded for each join, when its key is made.
  'upload-certs': '',
  'mark-control-plane': 'mark-control-plane',
  // The token that it makes, for a day, is told nobody: to read it takes the rights with which anybody could make one.
  'bootstrap-token': 'bootstrap-token --skip-token-print',
  'kubelet-finalize': 'kubelet-finalize all',
  // With these rights: the administrators' own take a moment to be known, and this phase does not try again.
  addon: `addon all --kubeconfig=${SUPER_ADMIN_KUBECONFIG}`,
  'show-join-command': '',
};

/** `addon all` installs kube-proxy whatever the configuration says: that is asked by `kubeadm init` as a whole alone. */
const CORE_DNS_ALONE = `addon coredns --kubeconfig=${SUPER_ADMIN_KUBECONFIG}`;

/**
 * Up to 1.33 `wait-control-plane` is there, but hidden from the help (kubernetes/kubernetes#132594 shows it from 1.34 on);
 * it is not run by itself in any version.
 */
const OPTIONAL = ['wait-control-plane'];

/** Phases before the start of the kubelet: quick, local, and each leaves alone what it finds in order. */
const LOCAL = ['certs', 'kubeconfig', 'etcd', 'control-plane'];
/** Phases that only talk to the API, each about something else: they run side by side. */
const THROUGH_API = ['upload-config', 'mark-control-plane', 'bootstrap-token', 'addon'];

/**
 * The binding that kubeadm makes for the users of admin.conf when it first needs one (EnsureAdminClusterRoleBinding, from 1.29 on):
 * one that is there is what it wants.
 */
const ADMINISTRATORS = 'kubeadm:cluster-admins';

/** Before anything goes through the endpoint. @param kubectl with the rights to do so, against the host's own API server */
function giveAdministratorsRights(kubectl: string): string {
  return `
echo 'giving the administrators their rights'
administrators() {
  ${kubectl} create clusterrolebinding ${ADMINISTRATORS} --clusterrole=cluster-admin --group=${ADMINISTRATORS} >/dev/null 2>&1 ||
    ${kubectl} get clusterrolebinding ${ADMINISTRATORS} >/dev/null 2>&1
}
deadline=$((SECONDS + 240))
await "the administrators' rights were not taken" administrators
`;
}

/** kubeadm's own kubeconfigs lead through the endpoint. */
const AWAIT_ENDPOINT = `
echo 'waiting for the endpoint'
endpoint() { kubectl --kubeconfig=${SUPER_ADMIN_KUBECONFIG} --request-timeout=5s get --raw /readyz >/dev/null 2>&1; }
deadline=$((SECONDS + 240))
await 'the API server is ready, and the load balancer did not lead to it' endpoint
`;

/**
 * `kubeadm init`, phase by phase, in one script that may be cut off anywhere and started again: certificates that are
 * there are kept, manifests are written with the same content, and what is in the API is created or updated.
 *
 * Only the first run is checked by kubeadm's preflight, for later ones find what the first one made: one manifest is
 * enough, whichever of the four a power cut let through.
 *
 * Where the endpoint comes up with the kubelet, its static pods are laid beside kubeadm's own. Where it leads to the API server
 * only when that is ready, what goes through the endpoint waits for it: the phases through the API try for seconds only. Where
 * the endpoint comes up with the rights of kubeadm's administrator, they are given before it is waited for.
 */
export function renderInitScript(cluster: Cluster, host: ClusterHost, files: HostFile[]): string {
  const port = apiServerPort(cluster);
  const { staticPods, leadsLate, asksAsAdministrator } = loadBalancerOf(cluster);
  const ownKubectl = `kubectl --kubeconfig=${SUPER_ADMIN_KUBECONFIG} --server=https://${host.address}:${port} --request-timeout=5s`;
  const phases: typeof PHASES = {
    ...PHASES,
    ...(hasKubeProxy(cluster.kubernetes.kubeProxy) ? {} : { addon: CORE_DNS_ALONE }),
  };
  return `${FENCE_GUARD}finished=1
[ ! -e ${OWNER_PATH} ] || { finished=0; grep -q '"caFingerprint": "sha256:' ${OWNER_PATH} || finished=$?; }
case $finished in
  1) ;;
  0)
    if [ -e /etc/kubernetes/pki/ca.key ]; then
      echo 'kubewright: the cluster on this host was finished before; its phases do not run over it again'
      exit 65
    fi
    ;;
  *) echo 'kubewright: nothing was begun: the ownership record cannot be read'; exit 65 ;;
esac
config=${KUBEADM_CONFIG_PATH}
phase() { kubeadm init phase "$@" --config="$config"; }

known=' ${Object.keys(PHASES).join(' ')} '
listed=$(kubeadm init --help | awk '/^[a-z-]+  +[A-Z]/ && on {print $1} /phases:/ {on=1} /^Usage:/ {exit}')
for name in $listed; do
  case $known in *" $name "*) ;; *) echo "kubewright: this kubeadm has an unknown phase: $name"; exit 64 ;; esac
done
for name in $known; do
  case $name in ${OPTIONAL.join('|')}) continue ;; esac
  grep -qx -- "$name" <<<"$listed" || { echo "kubewright: this kubeadm has no phase $name"; exit 64; }
done

${writeFiles(files)}
${EMPTY_DISK}ls /etc/kubernetes/manifests/*.yaml >/dev/null 2>&1 || phase ${PHASES.preflight} "\${empty_disk[@]}"
${LOCAL.map((name) => `phase ${PHASES[name]}`).join('\n')}
${staticPods.map(layManifest).join('')}phase ${PHASES['kubelet-start']}

echo 'waiting for the API server'
ready() {
  kubectl --kubeconfig=${SUPER_ADMIN_KUBECONFIG} --server=https://${host.address}:${port} \\
    --request-timeout=5s get --raw /readyz >/dev/null 2>&1
}
listens() { (: <>"/dev/tcp/$1/$2") 2>/dev/null; }
# Their certificates are their own; kubectl, asked to trust anybody, asks for a name and password.
healthy() {
  listens 127.0.0.1 "$1" || return 1
  command -v openssl >/dev/null || return 0
  printf 'GET /healthz HTTP/1.0\\r\\n\\r\\n' | timeout 3 openssl s_client -quiet -connect "127.0.0.1:$1" 2>/dev/null |
    head -n 1 | grep -q ' 200 '
}
components() { healthy 10257 && healthy 10259; }
deadline=$((SECONDS + 240))
await() {
  local complaint=$1
  shift
  until "$@"; do
    if [ "$SECONDS" -ge "$deadline" ]; then
      echo "kubewright: $complaint within 4 minutes"
      crictl ps -a || true
      journalctl --no-pager --quiet --output=cat --unit=kubelet | grep '^[EF][0-9]' | tail -n 10 || true
      return 1
    fi
    sleep 0.2
  done
}
listening() { listens ${host.address} ${port} && ready; }
await 'the control plane did not become ready' listening
${asksAsAdministrator ? giveAdministratorsRights(ownKubectl) : ''}${leadsLate ? AWAIT_ENDPOINT : ''}
await 'the control plane did not become ready' components & pids=($!)
${THROUGH_API.map((name) => `phase ${phases[name]} & pids+=($!)`).join('\n')}
failed=0
for pid in "\${pids[@]}"; do wait "$pid" || failed=$?; done
[ "$failed" = 0 ] || exit "$failed"

phase ${PHASES['kubelet-finalize']}
${strictPermissions(cluster)}`;
}
