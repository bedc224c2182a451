import { OWNER_PATH } from '../../../render/owner.js';

/** Tools that the steps call on every host and that a minimal installation may lack. */
const TOOLS = ['awk', 'base64', 'df', 'find', 'ip', 'modprobe', 'sha256sum', 'ss', 'systemd-run', 'tar'];

/** Folders that grow during an installation. */
export const GROWING = ['/var/lib/containerd', '/var/lib/kubelet', '/var/lib/kubewright', '/usr/local/bin'];

/** What earlier or other clusters leave behind. `10-flannel.conflist` is ours; containerd uses the first one by name. */
const LEFTOVERS = [
  '/etc/kubernetes/manifests/*.yaml',
  '/etc/kubernetes/admin.conf',
  '/etc/kubernetes/kubelet.conf',
  '/var/lib/kubelet/config.yaml',
  '/var/lib/etcd/member',
  '/var/lib/rancher/k3s',
  '/var/lib/rancher/rke2',
  '/var/lib/k0s',
  '/var/snap/microk8s/current',
];

/** Bash function: SHA-256 of the DER form of a PEM file's first certificate, without needing openssl. */
export const CERTIFICATE_DIGEST = `certificate_digest() {
  awk '/BEGIN CERTIFICATE/ {inside=1; next} /END CERTIFICATE/ {exit} inside' "$1" | base64 -d | sha256sum | cut -d' ' -f1
}`;

/**
 * Everything that the preflight wants to know of a host, in one round trip: lines of a name and values with tabs between
 * them, which `parseHostFacts` reads. Reads only; what a host lacks is left out rather than an error.
 */
export function hostFactsScript(): string {
  return `set +e +u
fact() { local IFS=$'\\t'; printf '%s\\n' "$*"; }
${CERTIFICATE_DIGEST}
${system()}
${network()}
${resources()}
${kernel()}
${ownership()}
exit 0
`;
}

function system(): string {
  return `fact kernel "$(uname -s)" "$(uname -m)" "$(uname -r)"
fact init "$(cat /proc/1/comm)"
fact systemd "$(systemctl --version | awk 'NR == 1 {print $2}')"
fact container "$(systemd-detect-virt --container)"
fact hostname "$(cat /proc/sys/kernel/hostname)"
fact machine-id "$(cat /etc/machine-id)"
while read -r line; do fact os "$line"; done </etc/os-release
for tool in ${TOOLS.join(' ')}; do command -v "$tool" >/dev/null || fact missing "$tool"; done`;
}

function network(): string {
  return `ip -o -4 address show | while read -r _ card _ address _; do
  fact address "\${card%%@*}" "$address" "$(cat "/sys/class/net/\${card%%@*}/address")"
done
ss -Hltnp | while read -r _ _ _ local _ users; do
  users=\${users#*'(("'}
  fact port "\${local##*:}" "\${users%%'"'*}"
done`;
}

function resources(): string {
  return `fact cpus "$(nproc)"
while read -r name kib _; do
  case $name in MemTotal:|MemAvailable:) fact memory "\${name%:}" "$kib" ;; esac
done </proc/meminfo
while read -r path _ size used _; do
  [ "$path" = Filename ] || fact swap "$path" "$size" "$used"
done </proc/swaps
for folder in ${GROWING.join(' ')}; do
  there=$folder
  while [ ! -d "$there" ]; do there=$(dirname "$there"); done
  read -r _ total _ free _ mount < <(df -Pk "$there" | tail -n 1)
  fact disk "$folder" "$(stat -c %d "$there")" "$total" "$free" "$mount"
done`;
}

function kernel(): string {
  return `for filesystem in overlay; do
  if grep -qw "$filesystem" /proc/filesystems; then fact feature "$filesystem" present
  elif modprobe -n -q "$filesystem"; then fact feature "$filesystem" loadable; fi
done
if [ -e /proc/sys/net/bridge/bridge-nf-call-iptables ]; then fact feature br_netfilter present
elif modprobe -n -q br_netfilter; then fact feature br_netfilter loadable; fi
fact cgroup "$(stat -fc %T /sys/fs/cgroup)"
if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
  fact controllers $(cat /sys/fs/cgroup/cgroup.controllers)
else
  fact controllers $(awk '$4 == 1 {print $1}' /proc/cgroups)
fi
[ -w /proc/sys/net/ipv4/ip_forward ] && fact sysctls writable`;
}

function ownership(): string {
  return `[ -e ${OWNER_PATH} ] && fact owner "$(tr -d '\\n\\t' <${OWNER_PATH})"
shopt -s nullglob
for path in ${LEFTOVERS.join(' ')}; do [ -e "$path" ] && fact leftover "$path"; done
for path in /etc/cni/net.d/*.conf /etc/cni/net.d/*.conflist; do
  [[ \${path##*/} < 10-flannel.conflist ]] && fact leftover "$path"
done
systemctl is-active --quiet kubelet && fact kubelet active
[ -e /etc/kubernetes/pki/ca.crt ] && fact ca "sha256:$(certificate_digest /etc/kubernetes/pki/ca.crt)"
server=$(grep -m 1 -h -o 'server: .*' /etc/kubernetes/kubelet.conf /etc/kubernetes/admin.conf | head -n 1)
[ -n "$server" ] && fact server "\${server#server: }"`;
}
