import { HAPROXY_CONFIG_PATH } from '../../../components/load-balancer/haproxy-keepalived/render/haproxy.js';
import { KEEPALIVED_CONFIG_PATH } from '../../../components/load-balancer/haproxy-keepalived/render/keepalived.js';
import { CONTAINERD_CONFIG_PATH, CRICTL_CONFIG_PATH } from '../../../components/runtime/containerd/render/config.js';

/** Services of a node that a host may have for other ends. */
const SERVICES = ['haproxy', 'keepalived', 'containerd', 'docker', 'crio'];

/** Files that the steps replace as a whole, and that others may have written. */
const REPLACED = [HAPROXY_CONFIG_PATH, KEEPALIVED_CONFIG_PATH, CONTAINERD_CONFIG_PATH, CRICTL_CONFIG_PATH];

/** Certificates whose end matters: kubeadm's own names, for others may lie beside them. */
const CERTIFICATES = [
  '/etc/kubernetes/pki/{ca,front-proxy-ca,apiserver,apiserver-kubelet-client,apiserver-etcd-client,front-proxy-client}.crt',
  '/etc/kubernetes/pki/etcd/{ca,server,peer,healthcheck-client}.crt',
  '/etc/kubernetes/{admin,super-admin,controller-manager,scheduler}.conf',
  '/var/lib/kubelet/pki/kubelet-client-current.pem',
];

/**
 * Bash for what runs on a host already: services of a node and their configuration, containers, the version of containerd
 * that is there or would come, and when the certificates of a node end. `fact` and `asked` are those of `hostFactsScript`.
 */
export function servicesFacts(): string {
  return `for unit in ${SERVICES.join(' ')}; do
  active=$(systemctl is-active "$unit") enabled=$(systemctl is-enabled "$unit")
  if [ "$active" = active ] || [ "$enabled" = enabled ]; then fact service "$unit" "$active"; fi
done
conffiles=$(dpkg-query -W -f='\${Conffiles}\\n' haproxy keepalived containerd containerd.io)
for path in ${REPLACED.join(' ')}; do
  [ -e "$path" ] || continue
  if grep -q 'Written by Kubewright' "$path"; then fact file "$path" ours
  elif grep -q -F " $path $(md5sum <"$path" | cut -d' ' -f1)" <<<"$conffiles"; then fact file "$path" packaged
  else fact file "$path" foreign; fi
done
for task in /run/containerd/io.containerd.runtime.v2.task/*/*; do
  [ ! -d "$task" ] || { task=\${task%/*}; echo "\${task##*/}"; }
done | sort | uniq -c | while read -r count namespace; do fact containers "$namespace" "$count"; done
fact containers docker "$(find /var/lib/docker/containers -mindepth 1 -maxdepth 1 -type d | wc -l)"
version=$(containerd --version)
if [ -n "$version" ]; then fact containerd installed "$version"
else fact containerd candidate "$(apt-cache policy containerd | awk '$1 == "Candidate:" {print $2}')"; fi
fact now "$(date +%s)"
certificate() {
  case $1 in *.conf) awk '$1 == "client-certificate-data:" {print $2}' "$1" | base64 -d ;; *) cat "$1" ;; esac
}
for path in ${CERTIFICATES.join(' ')}; do
  [ -s "$path" ] || continue
  end=$(certificate "$path" | openssl x509 -noout -enddate) && end=$(date -d "\${end#notAfter=}" +%s)
  if [ -n "$end" ]; then fact certificate "$path" "$end"; else fact unknown "when $path ends" openssl 'openssl does not read it'; fi
done`;
}
