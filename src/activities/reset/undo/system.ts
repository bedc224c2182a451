import type { Cluster, ClusterHost } from '../../../cluster/types.js';
import { packageNeeds } from '../../../components/packages.js';
import { quote } from '../../../hosts/shell.js';
import { FSTAB_PATH, SWITCHED_OFF } from '../../../render/fstab.js';
import { kernelFeaturesFor } from '../../../render/modules.js';
import { NETWORK_MANAGER_PATH } from '../../../render/network-manager.js';
import { sysctlFile } from '../../../render/sysctl.js';
import { stateSysctls } from '../../before/state-script.js';

/** Packages that a step of their own holds, where Kubernetes comes from a repository. */
const OF_KUBERNETES = ['kubelet', 'kubeadm', 'kubectl', 'cri-tools', 'kubernetes-cni'];

/**
 * Bash that brings back the kernel's settings, swap, accounts, holds of packages and modules as they were written down; what was not
 * written down stays as it is. What the kernel or a package manager does not take back is told and stops nothing: the comparison names it.
 */
export function systemScript(cluster: Cluster, host: ClusterHost): string {
  const settings = stateSysctls(cluster, host).map((name) => `set_back ${quote(name)} ${quote(sysctlFile(name))}\n`);
  const holds = [...new Set([...packageNeeds(cluster).hold, ...OF_KUBERNETES])];
  const modules = kernelFeaturesFor(host.role, cluster).flatMap(({ module, isBuiltIn }) => (isBuiltIn ? [] : [module]));
  return `${FUNCTIONS}${settings.join('')}swap_back
for package in ${holds.join(' ')}; do release "$package"; done
accounts_back
if [ ! -e ${NETWORK_MANAGER_PATH} ] && systemctl is-active --quiet NetworkManager.service; then
  nmcli general reload conf || systemctl reload NetworkManager.service || say 'NetworkManager does not read its configuration anew'
fi
# In the opposite order, for one may need the other. One that is in use stays.
for module in ${modules.toReversed().join(' ')}; do
  ! known || had module "$module" || modprobe --remove --quiet "$module" 2>/dev/null || true
done
`;
}

const FUNCTIONS = `set_back() {
  local was now
  had sysctl "$1" || return 0
  was=$(of sysctl | awk -F '\\t' -v name="$1" '$1 == name {print $2}')
  now=$(tr '\\t' ' ' <"$2" 2>/dev/null) || return 0
  [ "$now" = "$was" ] || { printf '%s\\n' "$was" >"$2"; } 2>/dev/null || say "cannot set $1 back from $now to $was"
}
swap_back() {
  local unit act device
  if grep -q '^${SWITCHED_OFF}' ${FSTAB_PATH} 2>/dev/null; then
    sed -i 's/^${SWITCHED_OFF}//' ${FSTAB_PATH}
    systemctl daemon-reload
  fi
  while read -r unit act; do
    case $act in
      disable) systemctl enable --now --quiet "$unit" || say "cannot enable $unit" ;;
      mask) systemctl unmask --quiet "$unit" && systemctl start "$unit" || say "cannot start $unit" ;;
    esac
  done < <(of swap-unit)
  while read -r device; do
    awk 'NR > 1 {print $1}' /proc/swaps | grep -qxF -- "$device" || swapon -- "$device" || say "cannot use $device as swap"
  done < <(of swap)
}
release() {
  known && ! had hold "$1" || return 0
  if command -v apt-mark >/dev/null; then
    ! apt-mark showhold | grep -qxF -- "$1" || apt-mark unhold "$1" >/dev/null || say "cannot take the hold from $1"
  elif grep -qsE "(^|[:-])$1-" /etc/dnf/plugins/versionlock.list; then
    dnf versionlock delete "$1" >/dev/null || say "cannot take the lock from $1"
  fi
}
accounts_back() {
  local name
  known || return 0
  while read -r name; do
    [ -n "$name" ] || continue
    had user "$name" || ! getent passwd "$name" >/dev/null || userdel "$name" 2>/dev/null || say "cannot remove the account $name"
    had group "$name" || ! getent group "$name" >/dev/null || groupdel "$name" 2>/dev/null || say "cannot remove the group $name"
  done <<<"$accounts"
}
`;

/** Bash: `accounts` gets the names of accounts that our own files make, which go before the accounts do: they are noted beside the state. */
export const NOTE_ACCOUNTS = `accounts=$({ cat /etc/sysusers.d/kubewright-*.conf "$before/accounts" || true; } 2>/dev/null | awk '$1 == "u" {print $2}' | sort -u)
! known || [ -z "$accounts" ] || sed 's/.*/u & -/' <<<"$accounts" >"$before/accounts"
`;
