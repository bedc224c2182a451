import type { Service } from '../../../components/types.js';

/** What of a cluster's components the host is asked about. */
export interface ServiceQuestions {
  /** Services that the cluster's components configure. */
  services: readonly Service[];
  /** Files that the steps replace as a whole, and that others may have written. */
  replaced: readonly string[];
  /** Bash for what is to be known of the container runtime. */
  runtimeFacts: string;
}

/** Other runtimes and what comes with them, which a host may have for other ends. */
const RIVALS = ['docker', 'crio', 'containerd'];

/** Certificates whose end matters: kubeadm's own names, for others may lie beside them. */
const CERTIFICATES = [
  '/etc/kubernetes/pki/{ca,front-proxy-ca,apiserver,apiserver-kubelet-client,apiserver-etcd-client,front-proxy-client}.crt',
  '/etc/kubernetes/pki/etcd/{ca,server,peer,healthcheck-client}.crt',
  // Those of a member that systemd runs.
  '/etc/kubewright/pki/etcd/{ca,server,peer,healthcheck-client}.crt',
  '/etc/kubernetes/{admin,super-admin,controller-manager,scheduler}.conf',
  '/var/lib/kubelet/pki/kubelet-client-current.pem',
];

/**
 * Bash for what runs on a host already: services of a node and their configuration, containers, the version of containerd
 * that is there or would come, and when the certificates of a node end. `row`, `asked`,
 * `packaged` and `candidate` are those of `hostFactsScript`.
 */
export function servicesFacts({ services, replaced, runtimeFacts }: ServiceQuestions): string {
  const units = [...new Set([...services.map(({ name }) => name), ...RIVALS])];
  return `for unit in ${units.join(' ')}; do
  active=$(systemctl is-active "$unit") enabled=$(systemctl is-enabled "$unit")
  if [ "$active" = active ] || [ "$enabled" = enabled ]; then row service "$unit" "$active"; fi
done
for path in ${replaced.join(' ')}; do
  [ -e "$path" ] || continue
  if grep -q 'Written by Kubewright' "$path"; then row file "$path" ours
  elif packaged "$path"; then row file "$path" packaged
  else row file "$path" foreign; fi
done
${runtimeFacts}
row now "$(date +%s)"
certificate() {
  case $1 in *.conf) awk '$1 == "client-certificate-data:" {print $2}' "$1" | base64 -d ;; *) cat "$1" ;; esac
}
for path in ${CERTIFICATES.join(' ')}; do
  [ -s "$path" ] || continue
  end=$(certificate "$path" | openssl x509 -noout -enddate) && end=$(date -d "\${end#notAfter=}" +%s)
  if [ -n "$end" ]; then row certificate "$path" "$end"; else row unknown "when $path ends" openssl 'openssl does not read it'; fi
done`;
}
