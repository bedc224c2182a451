import { packageFunctions } from '../../../components/distribution/index.js';
import { ALL_ETCDS } from '../../../components/registry/plan.js';
import type { KernelFeature } from '../../../components/types.js';
import { featureTest } from '../../../render/modules.js';
import { OWNER_PATH } from '../../../render/owner.js';
import { PROGRAM_ROOT } from '../../../render/program-paths.js';
import { LEASE_LIBRARY } from '../../lease/lease.js';
import { leftoverFacts } from '../../node-leftovers.js';
import { networkFacts } from './network-script.js';
import { type ServiceQuestions, servicesFacts } from './services-script.js';

/** Tools that the steps call on every host and that a minimal installation may lack. */
const TOOLS = ['awk', 'base64', 'df', 'find', 'gzip', 'ip', 'modprobe', 'sha256sum', 'ss', 'systemd-run', 'tar'];

/** Where members of etcd have their data, whatever runs them. */
const ETCD_DATA = [...new Set(ALL_ETCDS.map(({ dataDirectory }) => dataDirectory))];

/**
 * Folders that grow during an installation.
 *
 * @param imageFolder the one of the container runtime
 */
export function growingFolders(imageFolder: string): string[] {
  return [imageFolder, '/var/lib/kubelet', '/var/lib/kubewright', PROGRAM_ROOT];
}

/**
 * Bash function: SHA-256 of the DER form of a PEM file's first certificate, without needing openssl. Fails, and prints
 * nothing, where there is none: the digest of nothing would pass for a cluster's own.
 */
export const CERTIFICATE_DIGEST = `certificate_digest() {
  local pem
  pem=$(awk '/BEGIN CERTIFICATE/ {inside=1; next} /END CERTIFICATE/ {exit} inside' "$1") && [ -n "$pem" ] || return 1
  base64 -d <<<"$pem" | sha256sum | cut -d' ' -f1
}`;

/** What the script has to know of cluster.yaml. */
export interface HostQuestions extends ServiceQuestions {
  podSubnet: string;
  /** `kubelet.config.resolvConf`, or undefined. */
  resolvConf: string | undefined;
  /** Kernel features that this cluster needs of this host. */
  features: KernelFeature[];
  /** Folder that the container runtime's images grow in. */
  imageFolder: string;
  /** File of the pod network in /etc/cni/net.d; null where whatever is there is right. */
  cniConfiguration: string | null;
}

/**
 * `asked WHAT COMMAND…` prints what the command does; where it fails, that is told as something that is not known, which is
 * not the same as nothing. It may be used in a pipe: descriptor 3 is the script's own output.
 */
const ASKED = `exec 3>&1
asked() {
  local what=$1 said status
  shift
  said=$("$@" 2>/dev/null)
  status=$?
  if [ "$status" = 0 ]; then [ -z "$said" ] || printf '%s\\n' "$said"
  else row unknown "$what" "$1" "$1 failed with exit code $status" >&3; fi
}`;

/**
 * Everything that the preflight wants to know of a host, in one round trip: lines of a name and values with tabs between
 * them, which `parseHostFacts` reads. Reads only. What a host does not have is left out; what could not be asked is a line
 * `unknown`.
 */
export function hostFactsScript(questions: HostQuestions): string {
  const { podSubnet, resolvConf, features, cniConfiguration } = questions;
  return `${ASKED}
${CERTIFICATE_DIGEST}
${system()}
${packageFunctions(questions.services.flatMap((service) => service.packages))}
${networkFacts(podSubnet, resolvConf)}
${resources(questions.imageFolder)}
${kernel(features)}
${servicesFacts(questions)}
${ownership(cniConfiguration)}
`;
}

function system(): string {
  return `row kernel "$(uname -s)" "$(uname -m)" "$(uname -r)"
row init "$(cat /proc/1/comm)"
row systemd "$(systemctl --version | awk 'NR == 1 {print $2}')"
row container "$(systemd-detect-virt --container)"
row hostname "$(cat /proc/sys/kernel/hostname)"
row machine-id "$(cat /etc/machine-id)"
while read -r line; do row os "$line"; done </etc/os-release
[ ! -e /sys/fs/selinux/enforce ] || [ "$(cat /sys/fs/selinux/enforce)" != 1 ] || row selinux enforcing
for tool in ${TOOLS.join(' ')}; do command -v "$tool" >/dev/null || row missing "$tool"; done`;
}

function resources(imageFolder: string): string {
  const growing = growingFolders(imageFolder).join(' ');
  return `row cpus "$(nproc)"
while read -r name kib _; do
  case $name in MemTotal:|MemAvailable:) row memory "\${name%:}" "$kib" ;; esac
done </proc/meminfo
# A kernel without swap has no such file.
[ ! -e /proc/swaps ] || asked 'its swap' cat /proc/swaps | while read -r path _ size used _; do
  [ "$path" = Filename ] || row swap "$path" "$size" "$used"
done
for folder in ${growing}; do
  there=$folder
  while [ ! -d "$there" ]; do there=$(dirname "$there"); done
  read -r _ total _ free _ mount < <(asked "the disk of $folder" timeout 10 df -Pk "$there" | tail -n 1)
  [ -z "$mount" ] || row disk "$folder" "$(stat -c %d "$there")" "$total" "$free" "$mount"
  case ,$(findmnt -n -o OPTIONS -T "$there"), in *,noexec,*) row noexec "$folder" "$mount" ;; esac
done
for path in ${ETCD_DATA.join(' ')} ${growing}; do
  if [ -L "$path" ] && [ ! -d "$path" ]; then row dangling "$path" "$(readlink "$path")"; fi
done`;
}

function kernel(features: KernelFeature[]): string {
  const each = features.map((feature) => `has() { ${featureTest(feature)}; }\nfeature ${feature.module}`);
  return `feature() {
  if has; then row feature "$1" present
  elif modprobe -n -q "$1"; then row feature "$1" loadable; fi
  # What is built in or loaded for good needs no modprobe; anything else a boot loads anew, and may not.
  grep -qs "/$1\\.ko" "/lib/modules/$(uname -r)/modules.builtin" || [ ! -d "/lib/modules/$(uname -r)" ] && return
  modprobe --showconfig | while read -r word name command; do
    [ "\${name//-/_}" = "$1" ] || continue
    case $word:$command in
      blacklist:*) row blocked "$1" "blacklist $name" ;;
      install:*/false*|install:*/true*|install:false*|install:true*|install:':'*) row blocked "$1" "install $name $command" ;;
    esac
  done
}
${each.join('\n')}
cgroup=$(asked 'its cgroup version' stat -fc %T /sys/fs/cgroup)
row cgroup "$cgroup"
if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
  row controllers $(cat /sys/fs/cgroup/cgroup.controllers)
else
  row controllers $(awk '$4 == 1 {print $1}' /proc/cgroups)
fi
[ -w /proc/sys/net/ipv4/ip_forward ] && row sysctls writable`;
}

function ownership(cniConfiguration: string | null): string {
  return `${LEASE_LIBRARY}
if lease_read; then lease_show | while IFS= read -r line; do row lease "$line"; done
else row lease state=unreadable; fi
[ -e ${OWNER_PATH} ] && row owner "$(tr -d '\\n\\t' <${OWNER_PATH})"
${leftoverFacts()}
${cniConfiguration === null ? '' : foreignNetworks(cniConfiguration)}systemctl is-active --quiet kubelet && row kubelet active
[ -e /etc/kubernetes/pki/ca.crt ] && digest=$(certificate_digest /etc/kubernetes/pki/ca.crt) && row ca "sha256:$digest"
server=$(grep -m 1 -h -o 'server: .*' /etc/kubernetes/kubelet.conf /etc/kubernetes/admin.conf | head -n 1)
[ -n "$server" ] && row server "\${server#server: }"`;
}

/** The container runtime takes the first one by name. */
function foreignNetworks(own: string): string {
  return `for path in /etc/cni/net.d/*.conf /etc/cni/net.d/*.conflist; do
  [ -e "$path" ] && [[ \${path##*/} < ${own} ]] && row leftover trace 'another pod network' "$path"
done
`;
}
