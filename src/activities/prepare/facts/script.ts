import { OWNER_PATH } from '../../../render/owner.js';
import { leftoverFacts } from '../../node-leftovers.js';

/** Tools that the steps call on every host and that a minimal installation may lack. */
const TOOLS = ['awk', 'base64', 'df', 'find', 'ip', 'modprobe', 'sha256sum', 'ss', 'systemd-run', 'tar'];

/** Folders that grow during an installation. */
export const GROWING = ['/var/lib/containerd', '/var/lib/kubelet', '/var/lib/kubewright', '/usr/local/bin'];

/** Bash function: SHA-256 of the DER form of a PEM file's first certificate, without needing openssl. */
export const CERTIFICATE_DIGEST = `certificate_digest() {
  awk '/BEGIN CERTIFICATE/ {inside=1; next} /END CERTIFICATE/ {exit} inside' "$1" | base64 -d | sha256sum | cut -d' ' -f1
}`;

/**
 * Bash: `chains` prints the names of all chains, of nftables and of both kinds of iptables. The tools are asked only where
 * the kernel has such tables, for asking would load the modules.
 */
const CHAINS = `chains() {
  if [ -d /sys/module/nf_tables ]; then nft list chains | awk '$1 == "chain" {print $2}'; fi
  if [ -d /sys/module/nf_tables ] || [ -s /proc/net/ip_tables_names ]; then
    { iptables-save; iptables-legacy-save; } | awk '/^:/ {print substr($1, 2)}'
  fi
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
${CHAINS}
${leftoverFacts()}
for path in /etc/cni/net.d/*.conf /etc/cni/net.d/*.conflist; do
  # containerd takes the first one by name, and ours is 10-flannel.conflist.
  [ -e "$path" ] && [[ \${path##*/} < 10-flannel.conflist ]] && fact leftover trace 'another pod network' "$path"
done
systemctl is-active --quiet kubelet && fact kubelet active
[ -e /etc/kubernetes/pki/ca.crt ] && fact ca "sha256:$(certificate_digest /etc/kubernetes/pki/ca.crt)"
server=$(grep -m 1 -h -o 'server: .*' /etc/kubernetes/kubelet.conf /etc/kubernetes/admin.conf | head -n 1)
[ -n "$server" ] && fact server "\${server#server: }"`;
}
