import type { Cluster, ClusterHost } from '../../cluster/types.js';
import type { Leftover } from '../../components/leftovers.js';
import { quote } from '../../hosts/shell.js';
import { FSTAB_PATH } from '../../render/fstab.js';
import { sysctlFile, sysctlsFor } from '../../render/sysctl.js';
import { OWN_FOLDERS, ownLeftovers } from '../node-leftovers.js';
import { FIREWALL_FUNCTIONS } from '../prepare/firewalls-script.js';
import { SWAP_UNITS } from '../prepare/swap.js';

/**
 * What a host's state is made of: the first word of each line of it.
 *
 * Values are names, modes and digests. No line of /etc/fstab is among them: a mount option may be a password.
 */
export const STATE_KINDS = [
  'sysctl',
  'swap',
  'swap-unit',
  'module',
  'package',
  'hold',
  'unit',
  'active',
  'user',
  'group',
  'link',
  'address',
  'chain',
  'table',
  'mount',
  'path',
  'file',
] as const;

/** See `STATE_KINDS`. */
export type StateKind = (typeof STATE_KINDS)[number];

/**
 * Kernel settings that the kubelet, kube-proxy and pod networks change by themselves (kubelet: setupKernelTunables; kube-proxy:
 * conntrack and route_localnet).
 */
const SET_BY_NODES = [
  'vm.overcommit_memory',
  'vm.panic_on_oom',
  'kernel.panic',
  'kernel.panic_on_oops',
  'kernel.keys.root_maxkeys',
  'kernel.keys.root_maxbytes',
  'net.ipv4.ip_forward',
  'net.ipv4.conf.all.route_localnet',
  'net.ipv4.conf.all.arp_ignore',
  'net.ipv4.conf.all.arp_announce',
  'net.netfilter.nf_conntrack_max',
  'net.netfilter.nf_conntrack_tcp_timeout_established',
  'net.netfilter.nf_conntrack_tcp_timeout_close_wait',
];

/** Names of the kernel settings that a host's state tells of. */
export function stateSysctls(cluster: Cluster, host: Pick<ClusterHost, 'role'>): string[] {
  return [...new Set([...sysctlsFor(cluster, host).keys(), ...SET_BY_NODES])];
}

/** Patterns of all paths that a host's state tells of: what steps and nodes of such a cluster write there, and /etc/fstab. */
export function statePaths(cluster: Cluster): string[] {
  const told = ({ kind, name }: Leftover) => (kind === 'path' || kind === 'folder') && !OWN_FOLDERS.includes(name);
  const names = ownLeftovers(cluster).filter(told);
  return [...new Set([FSTAB_PATH, ...names.map(({ name }) => name), ...parentFolders(cluster)])];
}

/** Folders that our steps make where they are missing, such as those of drop-ins: by their files' names, deepest first. */
export function parentFolders(cluster: Cluster): string[] {
  const files = ownLeftovers(cluster).flatMap(({ kind, name }) => (kind === 'path' ? [name] : []));
  const parents = files.map((path) => path.slice(0, path.lastIndexOf('/')));
  const made = parents.filter((path) => /^\/(etc|usr\/local|opt)\/[^*?{[]+$/.test(path));
  return [...new Set(made)].sort((a, b) => b.length - a.length);
}

/**
 * Bash: `state` prints what a host is, one thing a line: kind, name and value, with tabs between them, sorted. The same host gives the
 * same lines, so that two of them can be compared line by line.
 */
export function stateFunction(cluster: Cluster, host: Pick<ClusterHost, 'role'>): string {
  const settings = stateSysctls(cluster, host).map((name) => `  setting ${quote(name)} ${quote(sysctlFile(name))}\n`);
  return `${FIREWALL_FUNCTIONS}${SWAP_UNITS}line() { local IFS=$'\\t'; printf '%s\\n' "$*"; }
each() { local kind=$1 name rest; while read -r name rest; do [ -z "$name" ] || line "$kind" "$name" "$rest"; done; }
setting() {
  local value
  { value=$(tr '\\t' ' ' <"$2"); } 2>/dev/null && line sysctl "$1" "$value"
}
path() {
  local path
  for path; do
    if [ -L "$path" ]; then line path "$path" "link to $(readlink -- "$path")"
    elif [ -d "$path" ]; then line path "$path" folder
    elif [ -f "$path" ]; then line file "$path" "$(stat -c '%a %U:%G' -- "$path") $(sha256sum <"$path" | cut -c 1-64)"
    elif [ -e "$path" ]; then line path "$path" other; fi
  done
}
packages() {
  if command -v dpkg-query >/dev/null; then
    dpkg-query -W -f='package \${binary:Package} \${db:Status-Status}\\n' | grep ' installed$'
    apt-mark showhold | sed 's/^/hold /'
  elif command -v rpm >/dev/null; then
    rpm -qa --qf 'package %{NAME} installed\\n'
    grep -v '^#' /etc/dnf/plugins/versionlock.list | sed 's/^/hold /'
  fi
}
state() {
  {
${settings.join('')}  awk 'NR > 1 {print $1}' /proc/swaps | each swap
  swap_units | each swap-unit
  cut -d ' ' -f 1 /proc/modules | each module
  packages | while read -r kind name rest; do line "$kind" "$name" "$rest"; done
  systemctl list-unit-files --no-legend --plain --type=service,socket,timer,mount,swap | awk '{print $1, $2}' | each unit
  systemctl list-units --no-legend --plain --type=service,socket --state=active | awk '{print $1}' | each active
  cut -d : -f 1 /etc/passwd | each user
  cut -d : -f 1 /etc/group | each group
  for card in /sys/class/net/*; do line link "\${card##*/}" ''; done
  ip -o -4 address show | while read -r _ card _ address _; do line address "\${card%%@*}" "$address"; done
  read_rules
  awk '$1 == "chain" {print $2}' <<<"$nft_rules" | each chain
  awk '$1 == "table" {print $2 "/" $3}' <<<"$nft_rules" | each table
  awk '/^:/ {print substr($1, 2)}' <<<"$iptables_rules" | each chain
  awk '{for (at = 7; $at != "-"; at++); print $5, $(at + 1)}' /proc/self/mountinfo | each mount
  path ${statePaths(cluster).join(' ')}
  } 2>/dev/null | LC_ALL=C sort -u
}
`;
}
